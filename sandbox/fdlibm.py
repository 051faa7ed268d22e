"""sin, cos, log, exp and tanh as browsers' JavaScript has them, to the last bit: Sun's fdlibm, of which V8 has a port.

NumPy's and the C library's round some results the other way (3 in 100 of sines, 7 of logarithms), and a data set that is to
be that of a page needs the page's. The coefficients are fdlibm's: k_sin.c, k_cos.c, e_rem_pio2.c, e_log.c, e_exp.c,
s_expm1.c and s_tanh.c (https://www.netlib.org/fdlibm). Arguments of the first three are arrays of any shape:
finite, of sin and cos below 2^19 pi/2, of log normal numbers above 0. Those of exp and tanh are Python's numbers.
"""

import math
from functools import reduce

import numpy as np

SIN = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
)
SIN_FIRST = -1.66666666666666324348e-01
COS = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)
LOG_EVEN = (1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01)
LOG_ODD = (1.479819860511658591e-01, 1.818357216161805012e-01, 2.857142874366239149e-01, 6.666666666666735130e-01)
EXP = (
    4.13813679705723846039e-08,
    -1.65339022054652515390e-06,
    6.61375632143793436117e-05,
    -2.77777777770155933842e-03,
    1.66666666666666019037e-01,
)
EXPM1 = (
    -2.01099218183624371326e-07,
    4.00821782732936239552e-06,
    -7.93650757867487942473e-05,
    1.58730158725481460165e-03,
    -3.33333333333331316428e-02,
)
ONE_OVER_LN2 = 1.44269504088896338700
LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # high and low part
TWO_OVER_PI = 6.36619772367581382433e-01
HALF_PI = (1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624871116645580e-21)  # 33 bits each ...
TAILS = (
    6.07710050650619224932e-11,
    2.02226624879595063154e-21,
    8.47842766036889956997e-32,
)  # ... and what is left then


def sin(x: np.ndarray) -> np.ndarray:
    """The sine (...) of x (...).

    >>> float(sin(np.array(0.5)))
    0.479425538604203
    """
    return _turned(x, 0)


def cos(x: np.ndarray) -> np.ndarray:
    """The cosine (...) of x (...)."""
    return _turned(x, 1)


def log(x: np.ndarray) -> np.ndarray:
    """The natural logarithm (...) of x (...)."""
    x = np.asarray(x, np.float64)
    high = _high(x)
    mantissa = high & 0xFFFFF
    carry = (mantissa + 0x95F64) & 0x100000
    k = ((high >> 20) - 1023 + (carry >> 20)).astype(np.float64)
    f = _with_high(x, mantissa | (carry ^ 0x3FF00000)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    R = z * _horner(w, LOG_ODD) + w * _horner(w, LOG_EVEN)
    half = 0.5 * f * f
    main = ((mantissa - 0x6147A) | (0x6B851 - mantissa)) > 0
    found = k * LN2[0] - np.where(main, (half - (s * (half + R) + k * LN2[1])) - f, (s * (f - R) - k * LN2[1]) - f)
    at_one = np.where(main, f - (half - s * (half + R)), f - s * (f - R))
    near = f * f * (0.5 - 0.33333333333333333 * f)
    close = (0xFFFFF & (2 + mantissa)) < 3
    found = np.where(close, k * LN2[0] - ((near - k * LN2[1]) - f), found)
    found = np.where(close & (f == 0), k * LN2[0] + k * LN2[1], found)
    at_one = np.where(close, f - near, at_one)
    return np.where(k == 0, at_one, found)


def exp(x: float) -> float:
    """The exponential of a number, which is not NaN."""
    if not -745.13321910194110842 <= x <= 709.782712893383973096:
        return math.inf if x > 0 else 0.0
    k, high, low = _halved(x)
    if x == 1:
        return math.e
    if k == 0:
        high, low = x, 0.0
        if abs(x) < 2.0**-28:
            return 1 + x
    r = high - low
    t = r * r
    p5, p4, p3, p2, p1 = EXP
    c = r - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))))
    if k == 0:
        return 1 - ((r * c) / (c - 2) - r)
    return math.ldexp(1 - ((low - (r * c) / (2 - c)) - high), k)


def tanh(x: float) -> float:
    """The hyperbolic tangent of a number."""
    t = abs(x)
    if t < 2.0**-28 or x != x:
        return x
    if t >= 22:
        z = 1.0
    elif t >= 1:
        z = 1 - 2 / (_expm1(2 * t) + 2)
    else:
        t = _expm1(-2 * t)
        z = -t / (t + 2)
    return z if x > 0 else -z


def _halved(x: float) -> tuple[int, float, float]:
    """k, and x - k log(2) as a high part less a low one, within half of log(2) of zero; k is 0 where x is."""
    t = abs(x)
    if t <= 0.34657359027997264:  # half of log(2)
        return 0, x, 0.0
    if t < 1.0397207708399179:
        return (1, x - LN2[0], LN2[1]) if x > 0 else (-1, x + LN2[0], -LN2[1])
    k = int(ONE_OVER_LN2 * x + (0.5 if x > 0 else -0.5))
    return k, x - k * LN2[0], k * LN2[1]


def _expm1(x: float) -> float:
    """exp(x) - 1 of a number from -2 to 44."""
    if abs(x) < 2.0**-54:
        return x
    k, high, low = _halved(x)
    x = high - low
    c = (high - x) - low
    half = 0.5 * x
    square = x * half
    q5, q4, q3, q2, q1 = EXPM1
    r = 1 + square * (q1 + square * (q2 + square * (q3 + square * (q4 + square * q5))))
    t = 3 - r * half
    e = square * ((r - t) / (6 - x * t))
    if k == 0:
        return x - (x * e - square)
    e = x * (e - c) - c
    e -= square
    if k == -1:
        return 0.5 * (x - e) - 0.5
    if k == 1:
        return -2 * (e - (x + 0.5)) if x < -0.25 else 1 + 2 * (x - e)
    if k <= -2 or k > 56:
        return math.ldexp(1 - (e - x), k) - 1
    small = math.ldexp(1.0, -k)
    y = (1 - small) - (e - x) if k < 20 else (x - (e + small)) + 1
    return math.ldexp(y, k)


def _turned(x: np.ndarray, quarter: int) -> np.ndarray:
    """The sine of x, a number of quarters of a turn further."""
    x = np.asarray(x, np.float64)
    n, y, rest = _reduced(x)
    sine, cosine = _kernel_sin(y, rest, n == 0), _kernel_cos(y, rest)
    turn = (n + quarter) & 3
    return np.where(turn % 2 == 0, sine, cosine) * np.where(turn < 2, 1.0, -1.0)


def _reduced(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The number of quarters of a turn in x, and what is left, in two parts: within an eighth of zero."""
    t = np.abs(x)
    high = _high(t)
    n = (t * TWO_OVER_PI + 0.5).astype(np.int64)
    n = np.where(high < 0x4002D97C, 1, n)  # below three eighths, without looking further
    n = np.where(high <= 0x3FE921FB, 0, n)
    whole = n.astype(np.float64)
    r, w = t - whole * HALF_PI[0], whole * TAILS[0]
    y = r - w
    quarters = _high(np.arange(1, 33) * (np.pi / 2))
    near = np.where(n > 0, (n > 32) | (high == quarters[np.clip(n, 1, 32) - 1]), False)
    for number, bits in ((1, 16), (2, 49)):  # where so many bits are lost, the next 33 of pi / 2 are taken
        lost = near & ((high >> 20) - ((_high(y) >> 20) & 0x7FF) > bits)
        before, product = r, whole * HALF_PI[number]
        r = np.where(lost, before - product, r)
        w = np.where(lost, whole * TAILS[number] - ((before - r) - product), w)
        y = np.where(lost, r - w, y)
    rest = (r - y) - w
    down = np.where(x < 0, -1, 1)
    return n * down, np.where(n == 0, x, y * down), np.where(n == 0, 0.0, rest * down)


def _kernel_sin(x: np.ndarray, rest: np.ndarray, alone: np.ndarray) -> np.ndarray:
    z = x * x
    v = z * x
    r = _horner(z, SIN)
    return np.where(alone, x + v * (SIN_FIRST + z * r), x - ((z * (0.5 * rest - v * r) - rest) - v * SIN_FIRST))


def _kernel_cos(x: np.ndarray, rest: np.ndarray) -> np.ndarray:
    high = _high(x) & 0x7FFFFFFF
    z = x * x
    r = z * _horner(z, COS)
    q = np.where(high > 0x3FE90000, 0.28125, _with_high(np.zeros_like(x), high - 0x00200000))
    far = (1.0 - q) - ((0.5 * z - q) - (z * r - x * rest))
    return np.where(high < 0x3FD33333, 1.0 - (0.5 * z - (z * r - x * rest)), far)


def _horner(x: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """The polynomial with these coefficients, the highest first."""
    return reduce(
        lambda value, coefficient: coefficient + x * value, coefficients[1:], np.full_like(x, coefficients[0])
    )


def _high(x: np.ndarray) -> np.ndarray:
    """The upper 32 bits of each number, the sign's left out."""
    return (np.array(x, order="C").view(np.int64) >> 32) & 0x7FFFFFFF


def _with_high(x: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The numbers with these bits in the place of their upper 32."""
    low = np.array(x, order="C").view(np.int64) & 0xFFFFFFFF
    return ((high.astype(np.int64) << 32) | low).view(np.float64)
