"""The test problems a second time: scalar formulas with loops, in as many digits as asked for.

Nothing is shared with `secant.problems` but the papers. A problem is its list of residuals; those
that are no sum of squares give the one entry f under `VALUES`.
"""

from __future__ import annotations

from itertools import pairwise

from mpmath import mp, mpf


def exp(x):
    return mp.exp(x)


def tenth(i):
    return mpf(i) / 10


def rosenbrock(x):
    return [r for a, b in pairwise(x) for r in (10 * (b - a**2), 1 - a)]


def extended_rosenbrock(x):
    return [r for a, b in zip(x[0::2], x[1::2], strict=True) for r in (10 * (b - a**2), 1 - a)]


def beale(x):
    y = [mpf("1.5"), mpf("2.25"), mpf("2.625")]
    return [y[i - 1] - x[0] * (1 - x[1] ** i) for i in (1, 2, 3)]


def booth(x):
    return [x[0] + 2 * x[1] - 7, 2 * x[0] + x[1] - 5]


def himmelblau(x):
    return [x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7]


def powell_badly_scaled(x):
    return [10**4 * x[0] * x[1] - 1, exp(-x[0]) + exp(-x[1]) - mpf("1.0001")]


def brown_badly_scaled(x):
    return [x[0] - 10**6, x[1] - mpf("2e-6"), x[0] * x[1] - 2]


def helical_valley(x):
    theta = mp.atan(x[1] / x[0]) / (2 * mp.pi) + (0 if x[0] > 0 else mpf("0.5"))
    return [10 * (x[2] - 10 * theta), 10 * (mp.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]


def gaussian(x):
    half = [9, 44, 175, 540, 1295, 2420, 3521]
    y = [mpf(v) / 10**4 for v in [*half, 3989, *half[::-1]]]
    t = [mpf(8 - i) / 2 for i in range(1, 16)]
    return [x[0] * exp(-x[1] * (t[i] - x[2]) ** 2 / 2) - y[i] for i in range(15)]


def gulf(x, m=99):
    residuals = []
    for i in range(1, m + 1):
        t = mpf(i) / 100
        y = 25 + (-50 * mp.log(t)) ** (mpf(2) / 3)
        residuals.append(exp(-(abs(y - x[1]) ** x[2]) / x[0]) - t)
    return residuals


def box(x, m=10):
    return [
        exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (exp(-t) - exp(-10 * t))
        for t in map(tenth, range(1, m + 1))
    ]


def brown_dennis(x):
    residuals = []
    for i in range(1, 21):
        t = mpf(i) / 5
        line = x[0] + t * x[1] - exp(t)
        residuals.append(line**2 + (x[2] + x[3] * mp.sin(t) - mp.cos(t)) ** 2)
    return residuals


def biggs_exp6(x, m=13):
    residuals = []
    for t in map(tenth, range(1, m + 1)):
        y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t)
        model = x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4])
        residuals.append(model - y)
    return residuals


def wood(x):
    a, b, c, d = x
    return [
        10 * (b - a**2),
        1 - a,
        mp.sqrt(90) * (d - c**2),
        1 - c,
        mp.sqrt(10) * (b + d - 2),
        (b - d) / mp.sqrt(10),
    ]


def watson(x):
    n = len(x)
    residuals = []
    for i in range(1, 30):
        t = mpf(i) / 29
        slope = sum((j - 1) * x[j - 1] * t ** (j - 2) for j in range(2, n + 1))
        residuals.append(slope - sum(x[j - 1] * t ** (j - 1) for j in range(1, n + 1)) ** 2 - 1)
    return [*residuals, x[0], x[1] - x[0] ** 2 - 1]


def extended_powell(x):
    residuals = []
    for k in range(0, len(x), 4):
        a, b, c, d = x[k : k + 4]
        residuals += [a + 10 * b, mp.sqrt(5) * (c - d)]
        residuals += [(b - 2 * c) ** 2, mp.sqrt(10) * (a - d) ** 2]
    return residuals


def penalty_1(x):
    root = mp.sqrt(mpf("1e-5"))
    return [root * (v - 1) for v in x] + [sum(v**2 for v in x) - mpf("0.25")]


def penalty_2(x):
    n, root = len(x), mp.sqrt(mpf("1e-5"))
    e = [exp(v / 10) for v in x]
    pairs = [
        root * (e[i - 1] + e[i - 2] - exp(tenth(i)) - exp(tenth(i - 1))) for i in range(2, n + 1)
    ]
    singles = [root * (e[i - 1] - exp(tenth(-1))) for i in range(2, n + 1)]
    last = sum((n - j + 1) * x[j - 1] ** 2 for j in range(1, n + 1)) - 1
    return [x[0] - mpf("0.2"), *pairs, *singles, last]


def variably_dimensioned(x):
    s = sum(j * (v - 1) for j, v in enumerate(x, start=1))
    return [v - 1 for v in x] + [s, s**2]


def trigonometric(x):
    n = len(x)
    total = n - sum(mp.cos(v) for v in x)
    return [total + i * (1 - mp.cos(v)) - mp.sin(v) for i, v in enumerate(x, start=1)]


def chebyquad(x):
    # T_i(y) = cos(i arccos y), whose imaginary part vanishes for |y| > 1 as well.
    n, angles, residuals = len(x), [mp.acos(2 * v - 1) for v in x], []
    for i in range(1, n + 1):
        mean = sum(mp.re(mp.cos(i * angle)) for angle in angles) / n
        residuals.append(mean + (mpf(1) / (i * i - 1) if i % 2 == 0 else 0))
    return residuals


def rastrigin(x):
    return 10 * len(x) + sum(v**2 - 10 * mp.cos(2 * mp.pi * v) for v in x)


VALUES = {"rastrigin": rastrigin}


def value(name, x):
    """Return f(x) in the working precision."""
    if name in VALUES:
        return VALUES[name](x)
    return mp.fsum(r**2 for r in globals()[name](x))


# Steps for differences: in 60 digits the error of a central difference is about step².
STEP = mpf(10) ** -20


def shifted(x, *moves):
    y = list(x)
    for j, h in moves:
        y[j] += h
    return y


def gradient(name, x):
    return [
        (value(name, shifted(x, (j, STEP))) - value(name, shifted(x, (j, -STEP)))) / (2 * STEP)
        for j in range(len(x))
    ]


def jacobian(name, x):
    columns = []
    for j in range(len(x)):
        up, down = (globals()[name](shifted(x, (j, h))) for h in (STEP, -STEP))
        columns.append([(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def hessian(name, x):
    n, h = len(x), STEP
    H = mp.zeros(n, n)
    for i in range(n):
        up, down = gradient(name, shifted(x, (i, h))), gradient(name, shifted(x, (i, -h)))
        for j in range(n):
            H[i, j] = (up[j] - down[j]) / (2 * h)
    return (H + H.T) / 2


def newton(name, x, steps):
    """Return x after Newton steps on the gradient."""
    for _ in range(steps):
        step = mp.lu_solve(hessian(name, x), mp.matrix(gradient(name, x)))
        x = [v - d for v, d in zip(x, step, strict=True)]
    return x
