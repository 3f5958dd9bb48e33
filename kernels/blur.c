// Blurs across into `room`, then down into the picture, only where something is. Each number is one sum in a fixed order.
#include "blur.h"

Span support(const float *row, int columns) {
    Span span = {0, columns - 1};
    while (span.from + 4 <= columns && !any(four_at(row + span.from) != all(0))) span.from += 4;
    while (span.from < columns && row[span.from] == 0) span.from++;
    while (span.to - 4 > span.from && !any(four_at(row + span.to - 3) != all(0))) span.to -= 4;
    while (span.to > span.from && row[span.to] == 0) span.to--;
    return span.from < columns ? span : NONE;
}

BlurPlan plan_blur(Blur blur) {
    Span *across = blur.spans, *down = across + blur.rows, *read = down + blur.rows;
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(across[y]))
            across[y] = (Span){greatest_of(across[y].from - blur.reach, 0),
                               least_of(across[y].to + blur.reach, blur.columns - 1)};
    for (int y = 0; y < blur.rows; y++) down[y] = joined_rows(across, blur.rows, y, blur.reach);
    for (int y = 0; y < blur.rows; y++) read[y] = joined_rows(down, blur.rows, y, blur.reach);
    return (BlurPlan){down, read};
}

static float one_across(Blur blur, const float *row, int at) {
    const float *centre = blur.weights + blur.reach;
    int x = at / blur.channels, channel = at % blur.channels;
    float sum = row[at] * centre[0];
    for (int away = 1; away <= blur.reach; away++) {
        int before = greatest_of(x - away, 0), after = least_of(x + away, blur.columns - 1);
        sum += (row[before * blur.channels + channel] + row[after * blur.channels + channel]) * centre[away];
    }
    return sum;
}

// Sums of so many vectors, side by side: what a tap costs besides its sums is shared.
static inline void vectors_across(Blur blur, const float *row, float *out, const int count) {
    const float *centre = blur.weights + blur.reach;
    f4 sum[count];
    for (int k = 0; k < count; k++) sum[k] = four_at(row + 4 * k) * all(centre[0]);
    for (int away = 1, by = blur.channels; away <= blur.reach; away++, by += blur.channels) {
        f4 weight = all(centre[away]);
        for (int k = 0; k < count; k++) sum[k] += (four_at(row - by + 4 * k) + four_at(row + by + 4 * k)) * weight;
    }
    for (int k = 0; k < count; k++) put_four(out + 4 * k, sum[k]);
}

static void row_across(Blur blur, Span span, const float *row, float *out) {
    int edge = blur.reach * blur.channels, inner = blur.columns * blur.channels - edge;
    int at = span.from * blur.channels, end = (span.to + 1) * blur.channels;
    for (; at < least_of(edge, end); at++) out[at] = one_across(blur, row, at);
    for (; at + 16 <= least_of(end, inner); at += 16) vectors_across(blur, row + at, out + at, 4);
    for (; at < end && at + 4 <= inner; at += 4) vectors_across(blur, row + at, out + at, 1);
    for (; at < end; at++) out[at] = one_across(blur, row, at);
}

static inline void vectors_down(Blur blur, int y, const float *room, float *out, const int count) {
    const float *centre = blur.weights + blur.reach;
    int length = blur.columns * blur.channels;
    f4 sum[count];
    for (int k = 0; k < count; k++) sum[k] = four_at(room + y * length + 4 * k) * all(centre[0]);
    for (int away = 1; away <= blur.reach; away++) {
        const float *above = room + greatest_of(y - away, 0) * length;
        const float *below = room + least_of(y + away, blur.rows - 1) * length;
        f4 weight = all(centre[away]);
        for (int k = 0; k < count; k++) sum[k] += (four_at(above + 4 * k) + four_at(below + 4 * k)) * weight;
    }
    for (int k = 0; k < count; k++) put_four(out + 4 * k, sum[k]);
}

static void row_down(Blur blur, Span span, int y, const float *room, float *picture) {
    float *out = picture + y * blur.columns * blur.channels, rest[4];
    int at = span.from * blur.channels, end = (span.to + 1) * blur.channels;
    for (; at + 16 <= end; at += 16) vectors_down(blur, y, room + at, out + at, 4);
    for (; at + 4 <= end; at += 4) vectors_down(blur, y, room + at, out + at, 1);
    if (at == end) return;
    vectors_down(blur, y, room + at, rest, 1);
    for (int k = 0; at < end; at++, k++) out[at] = rest[k];
}

void blurred(Blur blur, BlurPlan of, float *picture, float *room) {
    int length = blur.columns * blur.channels;
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(of.read[y])) row_across(blur, of.read[y], picture + y * length, room + y * length);
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(of.down[y])) row_down(blur, of.down[y], y, room, picture);
}
