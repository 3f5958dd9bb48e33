// What coding as a JPEG and decoding do to one block of 8 x 8.
#pragma once
#include "vectors.h"

// Rows of a block: the first four numbers and the last four of each.
typedef i4 Block[8][2];

// Whole numbers, 0 for grey, become those that are left of them when each frequency is a multiple of its step, (8, 8).
void code_block(Block block, const float *steps);
