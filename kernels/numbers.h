// Logarithm and exponential of floats by sums and products alone, so that every processor gives the same bits.
// Source: the Cephes library, S. L. Moshier 1992; both are exact to a unit or two of the last place.
#pragma once
#include "vectors.h"

// Of numbers above 0 that are not denormal.
static inline f4 logarithms(f4 x) {
    i4 bits = (i4)x, exponent = (bits >> 23) - whole(126);
    f4 m = (f4)((bits & whole(0x007fffff)) | whole(0x3f000000)); // 0.5 <= m < 1
    i4 low = m < all(0.70710678f);
    exponent += low; // one less
    m += choose(low, m, all(0));
    m -= all(1);
    f4 z = m * m, e = floats(exponent), y = all(7.0376836292e-2f);
    y = y * m - all(1.1514610310e-1f), y = y * m + all(1.1676998740e-1f), y = y * m - all(1.2420140846e-1f);
    y = y * m + all(1.4249322787e-1f), y = y * m - all(1.6668057665e-1f), y = y * m + all(2.0000714765e-1f);
    y = y * m - all(2.4999993993e-1f), y = y * m + all(3.3333331174e-1f);
    return m + (y * m * z + e * all(-2.12194440e-4f) - all(0.5f) * z) + e * all(0.693359375f);
}

// Of numbers from -87 to 88.
static inline f4 exponentials(f4 x) {
    f4 power = floors(x * all(1.44269504f) + all(0.5f));
    x -= power * all(0.693359375f), x -= power * all(-2.12194440e-4f);
    f4 y = all(1.9875691500e-4f);
    y = y * x + all(1.3981999507e-3f), y = y * x + all(8.3334519073e-3f), y = y * x + all(4.1665795894e-2f);
    y = y * x + all(1.6666665459e-1f), y = y * x + all(5.0000001201e-1f);
    return (y * x * x + x + all(1)) * (f4)((truncated(power) + whole(127)) << 23);
}
