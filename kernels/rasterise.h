// Triangles with a depth buffer.
#pragma once
#include "spans.h"

// A picture of values: three that the triangles' corners carry, and the depth, larger toward the viewer. In each row
// only the pixels of its span are defined.
typedef struct {
    int rows, columns;
    f4 *pixels;
    Span *spans;
} Canvas;

// Forget all that is drawn.
void clear_canvas(Canvas canvas);

// Draw triangles over what is drawn. Corners (n, 3) are x, y and depth in pixels with centres at integers; values are (n, 3); triangles (t, 3).
void rasterise(Canvas canvas, const float *corners, const float *values, const int *triangles, int count);
