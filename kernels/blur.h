// Gaussian blur of a picture, in place; the picture's edge is repeated.
#pragma once
#include "spans.h"

typedef struct {
    int rows, columns, channels;
    const float *weights; // 2 * reach + 1, symmetric
    int reach;
    Span *spans; // memory for 3 * rows; the first rows hold the columns beyond which a row is 0
} Blur;

// For each row the columns that are not 0 in the end, and those of which the blur down of any row reads.
typedef struct { const Span *down, *read; } BlurPlan;

// Of all pictures with these spans, whatever their channels.
BlurPlan plan_blur(Blur blur);

// `room` is memory of the picture's size.
void blurred(Blur blur, BlurPlan plan, float *picture, float *room);

// The columns beyond which a row of one channel is 0.
Span support(const float *row, int columns);
