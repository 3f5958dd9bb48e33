// What coding as a JPEG and decoding do to one block of 8 x 8.
#pragma once
#include "vectors.h"

// Rows of a block.
typedef s8 Block[8];

// How numbers of one table are made multiples of its steps.
typedef struct {
    s8 step[8];
    f4 share[16]; // of one multiple: eight times the step is what 1 becomes
} Steps;

// Of a table (8, 8), whole numbers from 1 to 255.
Steps steps_of(const float *table);

// Whole numbers from -128 to 127, 0 for grey, become those that are left of them when each frequency is a multiple of
// its step.
void code_block(Block block, const Steps *steps);
