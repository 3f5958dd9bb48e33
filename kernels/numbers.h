// Logarithm and exponential of floats by sums and products alone, so that every processor gives the same bits.
// Source: the Cephes library, S. L. Moshier 1992; both are exact to a unit or two of the last place.
#pragma once

typedef union { float number; int bits; } Float;

// Of a number above 0 that is not denormal.
static inline float logarithm(float x) {
    Float part = {x};
    int exponent = (part.bits >> 23) - 126;
    part.bits = (part.bits & 0x007fffff) | 0x3f000000; // 0.5 <= x < 1
    float m = part.number;
    if (m < 0.70710678f) exponent--, m += m;
    m -= 1;
    float z = m * m, e = exponent, y = 7.0376836292e-2f;
    y = y * m - 1.1514610310e-1f, y = y * m + 1.1676998740e-1f, y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f, y = y * m - 1.6668057665e-1f, y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f, y = y * m + 3.3333331174e-1f;
    return m + (y * m * z + e * -2.12194440e-4f - 0.5f * z) + e * 0.693359375f;
}

// Of a number from -87 to 88.
static inline float exponential(float x) {
    float whole = __builtin_floorf(x * 1.44269504f + 0.5f);
    x -= whole * 0.693359375f, x -= whole * -2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * x + 1.3981999507e-3f, y = y * x + 8.3334519073e-3f, y = y * x + 4.1665795894e-2f;
    y = y * x + 1.6666665459e-1f, y = y * x + 5.0000001201e-1f;
    Float power = {.bits = ((int)whole + 127) << 23};
    return (y * x * x + x + 1) * power.number;
}
