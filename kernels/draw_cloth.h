// Draws the cloth of one mask of `world`; its job is in `cloth.h`.
#pragma once

typedef struct Cloth Cloth;

void draw_cloth(const Cloth *job);
