// Pleats: panels of a bank laid between the lines of a mask's folds, see `masks.world.pleats`.
#include "cloth.h"

#define LEAST_HEIGHT 0.02f // of a panel, as a share of the cloth's

static void find_ends(const Cloth *job, const Pleats *of) {
    for (int x = 0; x < of->stride; x++) {
        float u = (float)(2 * x + 1) / of->columns - 1, end = 0;
        const float *line = job->lines;
        for (int k = 0; k <= job->panels; k++, line += 3) {
            float next = line[0] + line[1] * u + line[2] * (u * u);
            if (k) of->scale[(k - 1) * of->stride + x] = PANEL / greatest(next - end, LEAST_HEIGHT);
            if (k < job->panels) of->ends[k * of->stride + x] = end = next;
        }
    }
}

Pleats pleats_of(const Cloth *job) {
    int columns = greatest_of(job->columns / APART, 1), stride = (columns + 3) & ~3;
    short *room = row_of_room(job, 8), *shades = row_of_room(job, 16), bank[2 * PANEL_COLUMNS + 4];
    float *ends = (float *)(shades + job->panels * PANEL * 2 * stride), *scale = ends + job->panels * stride;
    float *hidden = scale + job->panels * stride;
    Pleats of = {columns, stride, ends, scale, shades, (short *)(hidden + stride + 4), hidden, {0}, {0}};
    find_ends(job, &of);
    for (int k = 0; k <= PLEATS; k++) of.above[k + 1] = of.above[k] + (k + 1 < job->panels ? job->hides[k] : 0);
    hidden[stride] = 0; // beyond the last column, with a weight of 0
    Wide wide = widened(columns, stride, (Coarse){PANEL, PANEL_COLUMNS, bank}, room);
    for (int row = 0; row < job->panels * PANEL; row++) {
        const u8 *from = job->shades + 2 * PANEL_COLUMNS * (PANEL * job->panel[row / PANEL] + row % PANEL);
        for (int at = 0; at < 2 * PANEL_COLUMNS; at += 8) put_eight(bank + at, eight_bytes(from + at) << 7);
        widen_row(&wide, bank, shades + 2 * stride * row);
    }
    of.wide = widened(job->columns, job->stride, (Coarse){job->rows, columns, of.row}, room);
    return of;
}

void fold_row(const Cloth *job, Pleats *of, int y) {
    f4 down = all((y + 0.5f) / job->rows);
    int last = job->panels * PANEL - 1;
    for (int x = 0; x < of->columns; x += 4) {
        f4 panel = all(0);
        for (int k = 0; k < job->panels; k++) {
            int at = k * of->stride + x;
            panel += clamped((down - four_at(of->ends + at)) * four_at(of->scale + at), 0, PANEL);
        }
        f4 place = least4(panel, all(last));
        i4 first = truncated(place), next = (i4)wasm_i32x4_min((v128_t)(first + whole(1)), wasm_i32x4_splat(last));
        i4 later = truncated((place - floats(first)) * all(32768));
        i4 a = first * whole(of->stride) + whole(x), b = next * whole(of->stride) + whole(x);
        const int *shades = (const int *)of->shades;
        i4 upper = {shades[a[0]], shades[a[1] + 1], shades[a[2] + 2], shades[a[3] + 3]};
        i4 lower = {shades[b[0]], shades[b[1] + 1], shades[b[2] + 2], shades[b[3] + 3]};
        put_eight(of->row + 2 * x, mixed((s8)upper, (s8)lower, (s8)(later | (later << 16))));
        i4 number = truncated(panel * all(1.0f / PANEL));
        const float *above = of->above;
        put_four(of->hidden + x, (f4){above[number[0]], above[number[1]], above[number[2]], above[number[3]]});
    }
}
