// Means over squares, by sums that slide along rows and then along columns.
#include "scatter.h"

static int mirrored(int at, int size) {
    if (size == 1) return 0;
    while (at < 0 || at >= size) at = at < 0 ? -at : 2 * (size - 1) - at;
    return at;
}

// Whole numbers, so that sums have no error; `padded` has `reach` more on either side, and is overwritten.
static void slide_across(i4 *padded, int columns, int reach, i4 *to) {
    for (int x = 0; x < reach; x++) {
        padded[x] = padded[reach + mirrored(x - reach, columns)];
        padded[reach + columns + x] = padded[reach + mirrored(columns + x, columns)];
    }
    i4 sum = whole(0);
    for (int x = 0; x < 2 * reach; x++) sum += padded[x];
    for (int x = 0; x < columns; x++) {
        sum += padded[x + 2 * reach];
        to[x] = sum;
        sum -= padded[x];
    }
}

static void row_across(const u8 *picture, int columns, int reach, f4 *to, i4 *padded, i4 *other) {
    for (int x = 0; x < columns; x++) {
        v128_t bytes = wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(picture + 3 * x));
        padded[reach + x] = (i4)wasm_u32x4_extend_low_u16x8(bytes);
    }
    slide_across(padded, columns, reach, other + reach);
    slide_across(other, columns, reach, padded + reach);
    float side = 2 * reach + 1, share = 1 / (side * side);
    for (int x = 0; x < columns; x++) to[x] = floats(padded[reach + x]) * all(share);
}

static void slide_down(const f4 *from, int rows, int columns, int reach, f4 *to, f4 *sums) {
    f4 share = all(1.0f / (2 * reach + 1));
    for (int x = 0; x < columns; x++) sums[x] = all(0);
    for (int y = -reach; y < reach; y++) {
        const f4 *row = from + mirrored(y, rows) * columns;
        for (int x = 0; x < columns; x++) sums[x] += row[x];
    }
    for (int y = 0; y < rows; y++) {
        const f4 *next = from + mirrored(y + reach, rows) * columns, *gone = from + mirrored(y - reach, rows) * columns;
        for (int x = 0; x < columns; x++) {
            f4 sum = sums[x] + next[x];
            to[y * columns + x] = sum * share;
            sums[x] = sum - gone[x];
        }
    }
}

void scatter(const u8 *picture, int rows, int columns, int reach, f4 *soft, f4 *half, f4 *room) {
    i4 *padded = (i4 *)room, *other = padded + columns + 2 * reach + 1;
    for (int y = 0; y < rows; y++)
        row_across(picture + 3 * columns * y, columns, reach, soft + y * columns, padded, other);
    slide_down(soft, rows, columns, reach, half, room);
    slide_down(half, rows, columns, reach, soft, room);
}
