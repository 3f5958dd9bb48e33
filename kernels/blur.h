// Gaussian blur of a picture, in place; the picture's edge is repeated.
#pragma once
#include "spans.h"

typedef struct {
    int rows, columns, channels;
    const float *weights; // 2 * reach + 1, symmetric
    int reach;
    Span *spans; // memory for 3 * rows; the first rows hold the columns beyond which a row is 0
} Blur;

// `room` is memory of the picture's size.
void blurred(Blur blur, float *picture, float *room);

// The columns beyond which a row of one channel is 0.
Span support(const float *row, int columns);
