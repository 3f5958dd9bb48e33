// One cascade of a shape predictor for many faces: which pixels each face shows, which leaves of the trees these lead
// to, and what the leaves add to the face's shape. See `faces.shape_predictor`.
//
// Arrays have a row for each point, pixel or tree and a column for each face, but for the sums. A tree's leaves are
// added for all faces while they are in the processor's cache; each sum is in the order of the trees.
#include "vectors.h"

#define TOGETHER 8 // trees whose leaves are added to a sum while it is in a register
#define EIGHT 8    // faces of a vector

typedef struct {
    int faces;  // a multiple of EIGHT
    int values; // of a shape: x before y of each point
    int pixels, trees, depth;
    float *shape;       // (values, faces), shares of the box
    const float *turn;  // (values, 2), what sums up a shape to the cosine and sine of its turn, scale in both
    const float *boxes; // (6, faces), from shares of the box to pixels
    const float *ends;  // (2, faces), last column and row of each picture
    const int *first, *width; // (faces): where its pixels begin, and how many are in a row
    const u8 *pictures;
    const int *anchors;  // (pixels), the point that a pixel lies near,
    const float *deltas; // (pixels, 2), and how far from there
    const int *splits;   // (trees, 2^depth - 1, 2), the two pixels that a split compares,
    const short *most;   // (trees, 2^depth - 1), and their largest difference that leads to the second child
    const float *leaves; // (any, values)
    int *rows;           // (trees, faces), the row of `leaves` that a face reaches in a tree; at first, all are there
    u8 *seen;            // memory for (pixels, faces),
    float *sums;         // and for (faces, values), each row as long as whole vectors
} Cascade;

static inline int vectors_of(const Cascade *job) { return (job->values + 3) / 4; }

// Which pixel of a picture is nearest to each of four places; beyond it its edge's.
static inline i4 nearest(const Cascade *job, f4 x, f4 y, int way, int face) {
    const float *line = job->boxes + 3 * way * job->faces + face;
    f4 at = four_at(line) * x;
    at += four_at(line + job->faces) * y;
    at += four_at(line + 2 * job->faces);
    at += all(0.5f);
    f4 last = four_at(job->ends + way * job->faces + face);
    return truncated(least4(greatest4(all(0), at), last));
}

// The brightness of all pixels of four faces.
static void look(const Cascade *given, int face) {
    const Cascade own = *given, *job = &own; // which no pixel that is written can change
    f4 cosine = all(0), sine = all(0);
    for (int value = 0; value < job->values; value++) {
        f4 of = four_at(job->shape + value * job->faces + face);
        cosine += of * all(job->turn[2 * value]), sine += of * all(job->turn[2 * value + 1]);
    }
    i4 first = *(const i4 *)(job->first + face), width = *(const i4 *)(job->width + face);
    for (int pixel = 0; pixel < job->pixels; pixel++) {
        const float *near = job->shape + 2 * job->anchors[pixel] * job->faces + face;
        f4 x = four_at(near), y = four_at(near + job->faces);
        f4 right = all(job->deltas[2 * pixel]), down = all(job->deltas[2 * pixel + 1]);
        x += cosine * right, x -= sine * down;
        y += sine * right, y += cosine * down;
        i4 at = nearest(job, x, y, 1, face) * width + nearest(job, x, y, 0, face) + first;
        u8 *to = job->seen + pixel * job->faces + face;
        for (int k = 0; k < 4; k++) to[k] = job->pictures[at[k]];
    }
}

// The rows of `leaves` that eight faces reach in a tree.
static ALWAYS_INLINE void reach(const Cascade *job, int tree, int face, const int depth) {
    int splits = (1 << depth) - 1;
    const int *of = job->splits + 2 * splits * tree;
    const short *most = job->most + splits * tree;
    s8 right[1 << (depth - 1)], way[depth], leaf = {0};
    for (int level = 0; level < depth; level++) {
        int count = 1 << level;
        for (int k = 0; k < count; k++) {
            int split = count - 1 + k;
            s8 one = eight_bytes(job->seen + of[2 * split] * job->faces + face);
            s8 other = eight_bytes(job->seen + of[2 * split + 1] * job->faces + face);
            right[k] = one - other <= eight(most[split]);
        }
        for (int before = 0; before < level; before++) {
            count /= 2;
            for (int k = 0; k < count; k++) right[k] = choose8((v128_t)way[before], right[count + k], right[k]);
        }
        way[level] = right[0];
        leaf = leaf + leaf - right[0]; // -1 where it is true
    }
    i4 start = whole(tree << depth), *rows = (i4 *)(job->rows + tree * job->faces + face);
    rows[0] = start + (i4)wasm_u32x4_extend_low_u16x8((v128_t)leaf);
    rows[1] = start + (i4)wasm_u32x4_extend_high_u16x8((v128_t)leaf);
}

static ALWAYS_INLINE void reach_all(const Cascade *given, const int depth) {
    const Cascade own = *given, *job = &own; // which no row that is written can change
    for (int tree = 0; tree < job->trees; tree++)
        for (int face = 0; face < job->faces; face += EIGHT) reach(job, tree, face, depth);
}

EXPORT(reach_leaves) void reach_leaves(const Cascade *job) {
    for (int face = 0; face < job->faces; face += 4) look(job, face);
    if (job->depth == 4) reach_all(job, 4);
    else reach_all(job, job->depth);
}

static ALWAYS_INLINE void add_trees(const Cascade *given, int tree, const int count) {
    const Cascade own = *given, *job = &own; // which no sum that is written can change
    int length = 4 * vectors_of(job);
    for (int face = 0; face < job->faces; face++) {
        const float *leaf[TOGETHER];
        for (int k = 0; k < count; k++)
            leaf[k] = job->leaves + job->rows[(tree + k) * job->faces + face] * job->values;
        float *sums = job->sums + face * length;
        for (int at = 0; at < length; at += 4) {
            f4 sum = four_at(sums + at);
            for (int k = 0; k < count; k++) sum += four_at(leaf[k] + at);
            put_four(sums + at, sum);
        }
    }
}

EXPORT(add_leaves) void add_leaves(const Cascade *job) {
    int length = 4 * vectors_of(job), tree = 0;
    __builtin_memset(job->sums, 0, job->faces * length * sizeof(float));
    for (; tree + TOGETHER <= job->trees; tree += TOGETHER) add_trees(job, tree, TOGETHER);
    for (; tree < job->trees; tree++) add_trees(job, tree, 1);
    for (int value = 0; value < job->values; value++)
        for (int face = 0; face < job->faces; face++)
            job->shape[value * job->faces + face] += job->sums[face * length + value];
}

EXPORT(size_of_landmarks) int size_of_landmarks(void) { return sizeof(Cascade); }
