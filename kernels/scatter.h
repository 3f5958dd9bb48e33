// The blur of skin seen through thin cloth.
#pragma once
#include "vectors.h"

// The mean over squares of 2 * reach + 1 pixels, taken twice, of a picture in red, green and blue that is mirrored about
// its outermost pixels: floats, the fourth of each means nothing. `room` is memory of 2 * (columns + 2 * reach + 1) of them.
void scatter(const u8 *picture, int rows, int columns, int reach, f4 *soft, f4 *half, f4 *room);
