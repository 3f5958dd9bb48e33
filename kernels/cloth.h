// The cloth of one mask of `world`, see `masks.world.design_atlas`.
#pragma once
#include "draw_cloth.h"
#include "vectors.h"

#define PER_MASK 12 // wrinkles of a mask
#define PANEL 32 // rows and columns of a panel between two pleats
#define PANEL_COLUMNS 16
#define APART 8   // columns of the cloth for each at which pleats are computed: their lines are nearly level
#define PLACES 64 // rows and columns of the flattened cloth
#define PLEATS 4  // most of a mask
#define STRAPS 4

// A picture of pairs of numbers that is laid on the cloth; without columns it is none.
typedef struct {
    int rows, columns;
    const short *pairs;
} Coarse;

// A part of the cloth; `bottom` and `right` are beyond it.
typedef struct { int top, left, bottom, right; } Box;

struct Cloth {
    int rows, columns, stride; // of the cloth; `stride` is the columns of the result
    const u8 *blank;           // 4 each: red, green, blue, slope across
    const u8 *blank_down;      // slope down
    u8 *drawn, *drawn_down;    // the result
    int rim_rows, rim_columns; // size of the hem
    int rimless;               // share of what lies inside the hem, mirrored, in its place
    int seam_from, seam_columns;
    const short *seam;         // 8 for each column: the share of the blank texel, in 1 / 4096, and the eighths of a
                               // level that are added
    const signed char *bank;   // wrinkles
    int which[PER_MASK], depths[PER_MASK / 2]; // two of `depths`, of 16 bits, in each number
    float bent[6];             // from the cloth's cells to the bank's: x = 0, 1, 2; y = 3, 4, 5
    const float *crest;        // factors of rows, then of columns, on the slope of a crest
    float crested;             // this slope
    const u8 *folds, *grain;   // slopes across and down, 2 each
    int grain_columns;         // of the picture of which `grain` is a part
    int folded, grained;       // factors on them, in 1 / 8192
    int ground, second;        // colours of the dye, red in the lowest byte
    Box boxes[2];              // of the second colour
    int dark_rows, dark_columns; // of each place how dark its stain is, in 1 / 32768; no columns without stains
    const float *dark;
    int stain[3];              // share of red, green and blue that the darkest stain takes
    const u8 *own;             // 4 each: the dye of parts that have their own, where the fourth is 255, and what the
                               // valve is lighter than `valve`, where it is 254; null without either
    int valve;                 // colour
    int panels;                // of cloth between pleats and edges, from the uppermost one; 0 without pleats
    const u8 *shades;          // a bank of panels, (PANEL, PANEL_COLUMNS, 2): factor on the light, in 1 / 128, and slope
    int panel[PLEATS + 1];     // of the bank
    const float *lines;        // (panels + 1, 3), upper edge, folds, lower edge: polynomials of u, -1 to 1
    float hides[PLEATS];       // eye distances of cloth that each fold hides
    int steep;                 // factor on the slope down, in 1 / 4096
    int side, channels;        // pixels of a print: 3 channels repeat, 4 are shown once; without channels there is none
    const u8 *pixels;
    const short *inks;         // (2, 4, 2), red, green, blue and opacity by the pixel's red and green; by its blue,
                               // and 0; in 1 / 16384
    const int *paper;          // the same of itself
    const float *flat;         // (PLACES, PLACES, 2), the flattened cloth, in eye distances
    float bend;                // eye distances by which a level of slope moves the print
    float turn[4], shift[2];   // from eye distances to pixels
    u8 *tile, *printed;        // memory for (side + 3) ^ 2 pixels, and for the texels of the result
    int straps, strap_rows;    // below the cloth
    int strap_colours[STRAPS];
    short *room;               // memory for 16 rows of the result and for `Pleats`
};

// A coarse picture with two of its rows made as wide as the cloth.
typedef struct {
    Coarse of;
    int columns;
    int *first;        // for each column of the cloth the pair left of it,
    short *later;      // and, twice, the share of the pair right of it
    short *rows[2];
    int kept[2];       // which rows these are
} Wide;

// The pleats' panels as wide as every eighth column of the cloth.
typedef struct {
    int columns, stride;
    float *ends, *scale; // (panels, stride), upper edge of each panel, and PANEL rows by its height
    short *shades;       // (panels * PANEL, stride, 2)
    short *row;          // a row of the cloth, (stride, 2)
    float *hidden;       // and of what is hidden above it, (stride,)
    float above[PLEATS + 2]; // what the folds above each panel hide, and once more all of it
    Wide wide;
} Pleats;

// The cells of a row before and after a place of the cloth.
typedef struct { int first, next; float later; } Between;

static inline Between between(int at, int size, int cells) {
    float place = greatest(least((at + 0.5f) * ((float)cells / size) - 0.5f, cells - 1), 0);
    int first = (int)place;
    return (Between){first, least_of(first + 1, cells - 1), place - first};
}

// A share in steps of 1 / 32768.
static inline short steps(float share) { return (short)(share * 32768); }

static inline s8 mixed(s8 a, s8 b, s8 later) { return a + product(b - a, later); }

static inline void fill(u8 *row, int from, int to, int colour) {
    for (int x = from; x < to; x++) ((int *)row)[x] = colour;
}

// Rows of the job's memory, of pairs of numbers or of texels.
static inline short *row_of_room(const Cloth *job, int number) { return job->room + 2 * job->stride * number; }

Wide widened(int columns, int stride, Coarse of, short *room);
void widen_row(const Wide *wide, const short *from, short *to);

Pleats pleats_of(const Cloth *job);
// Find `row` and `hidden` of a row of the cloth.
void fold_row(const Cloth *job, Pleats *pleats, int y);

// Lay the print on all of the cloth.
void lay_print(const Cloth *job, Pleats *pleats);
// A row of the laid print, with more contrast of its finest details.
void sharpen_row(const Cloth *job, int y, u8 *to);
