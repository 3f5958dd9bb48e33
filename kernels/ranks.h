// The number at a place among the sorted ones, without sorting them.
#pragma once

// Defines a function: the number at index `rank` of the sorted ones. Afterwards those before it are not greater.
#define RANKED(name, type)                                                                                             \
    static type name(type *of, int count, int rank) {                                                                  \
        int low = 0, high = count - 1;                                                                                 \
        while (low < high) {                                                                                           \
            type middle = of[(low + high) / 2];                                                                        \
            int a = low, b = high;                                                                                     \
            while (a <= b) {                                                                                           \
                while (of[a] < middle) a++;                                                                            \
                while (of[b] > middle) b--;                                                                            \
                if (a > b) break;                                                                                      \
                type swapped = of[a];                                                                                  \
                of[a++] = of[b], of[b--] = swapped;                                                                    \
            }                                                                                                          \
            if (rank <= b) high = b;                                                                                   \
            else if (rank >= a) low = a;                                                                               \
            else break;                                                                                                \
        }                                                                                                              \
        return of[rank];                                                                                               \
    }

// The least whole number, below `levels`, that more than `rank` of the counted ones do not exceed.
static inline int ranked_count(const int *counts, int levels, int rank) {
    int level = 0;
    while (level < levels - 1 && rank >= counts[level]) rank -= counts[level++];
    return level;
}
