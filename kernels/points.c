// What the points of a mask's mesh carry: their places in the atlas, the light on them, and the opacity of straps.
#include "numbers.h"
#include "ranks.h"

#define HIDDEN 0.2f         // strength of the loss of light on cloth that faces down, where chest and throat block it
#define LEVEL 0.18f         // y of the normal (1 faces straight down) up to which cloth loses no light
#define DARKEST 1e-30f      // light, so that its logarithm is finite
#define LEAST_LIGHT 0.12f   // some light comes from everywhere
#define LEAST_OVERHEAD 0.4f // least factor of light from above
// Shadow that the light's direction does not explain. Skin that is brighter than explained has no effect, so that the
// lightness of white cloth does not depend on skin.
#define DOUBTED 0.4f    // prior weight of skin without shadow
#define ODD 0.9f        // weights, on cloth, of shadow on one side of the face,
#define EVEN 0.2f       // and on both sides (such as a beard)
#define MOST_SHADE 0.9f // darkest shade, as a logarithm of linear light
// An ear loop is hidden where the photograph shows hair or background instead of skin.
#define TURNED_AWAY 0.15f // cosine of the skin's normal to the line of sight below which a strap on it fades out
#define DARK 0.38f        // shares of the skin's luma: below this a pixel is not skin,
#define PLAIN 0.62f       // above this it may be
#define ALIKE 0.25f       // distance from the skin's colour, in logarithms of red and blue over green: skin;
#define OTHER 0.55f       // not skin
#define LEAST 4           // least level of a colour, so that its logarithm is finite
// Rows of points, counted from the mask. Up to the first a loop lies in front of beard and hair. From the second on
// hair can hide it completely. Between them the effect increases.
#define BEFORE 3
#define UNDER 8
#define CHEEK 3 // rows of a head strap before the hair that it goes over
// Cosines of the skin's normal to the line of sight, below which the photograph begins to count, and counts in full, in
// every row: near the head's outline, what is not skin is the background beside a head narrower than the mean one.
#define OUTLINE 0.45f
#define IN_FULL 0.2f
#define ROOT 0.5f // visibility of the first row, where a strap comes out from under the hem
#define LAST 3    // rows where a loop goes behind the ear
static const float ENDS[LAST] = {0.75f, 0.4f, 0.1f}; // their visibility

// What a mesh has in every picture; see `MaskMesh.carried`.
typedef struct { float u, v, skew[4], ray[3], fade_from, under[3], over_hair; } Point;

typedef struct { float x, y, value; } Carried;

typedef struct {
    int count, straps_from, behind; // points of the mesh, of its cloth, and of the head behind it, which carry nothing
    int straps, pieces, breadth;    // each strap has pieces x breadth points
    const Point *points;
    int modes;                // number of deformations
    const float *weights;     // of each
    const float *turns;       // (modes, count, 3), normals in head coordinates and how deformations change them
    float *normals;           // memory for their sums, (count, 3)
    const float *unexplained; // (2 * count, 2), see `MaskMesh.light_weights`; null if unknown
    const u8 *pixels;         // the picture at the straps' points: red, green, blue; null if the skin is unknown
    Carried *values;
    float *room;                                   // memory for as many floats as points
    float rotation[9], direction[3], skin[3], luma[3];
    float overhead, gamma, brightest;
    float columns, rows, skew[4]; // of the atlas, see `MaskPlan.print_skew`
    int turned;
} Points;

static inline float along(const float *a, const float *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
static inline float held(float x, float low, float high) { return least(greatest(x, low), high); }
static inline float smooth(float share) {
    share = held(share, 0, 1);
    return share * share * (3 - 2 * share);
}

RANKED(ranked, float)

static float median(float *of, int count) {
    float upper = ranked(of, count, count / 2), lower = upper;
    if (count % 2) return upper;
    lower = of[0];
    for (int at = 1; at < count / 2; at++) lower = greatest(lower, of[at]);
    return (lower + upper) / 2;
}

// Linear light on a point, without that from above; its y toward the light from there becomes `down`.
static inline float linear_light(const Points *job, int at, float *down) {
    const float *normal = job->normals + 3 * at, *turn = job->rotation;
    float facing[3] = {along(turn, normal), along(turn + 3, normal), along(turn + 6, normal)};
    float side = __builtin_copysignf(1, facing[2]); // cloth has two sides
    *down = side * facing[1];
    float light = (1 + side * along(facing, job->direction)) / (1 + job->direction[2]);
    return greatest(light, LEAST_LIGHT) * (1 - HIDDEN * greatest(normal[1] - LEVEL, 0));
}

// The first number of each of four pairs over its second one.
static inline f4 believed(const float *pairs) {
    f4 a = four_at(pairs), b = four_at(pairs + 4);
    f4 off = __builtin_shufflevector(a, b, 0, 2, 4, 6), seen = __builtin_shufflevector(a, b, 1, 3, 5, 7);
    return off / (seen + all(DOUBTED));
}

// The factors on linear light, at most 1, of shadows that its direction does not explain, at four points.
static inline f4 shades(const Points *job, int at) {
    const float *here = job->unexplained + 2 * at, *there = here + 2 * job->count; // there: on the face's other side
    f4 off = all((EVEN + ODD) / 2) * believed(here) + all((EVEN - ODD) / 2) * believed(there);
    return exponentials(clamped(off, -MOST_SHADE, 0));
}

// Encoded light as a share of the brightest, above 0. Highlights are compressed, so that folds show in white cloth.
static inline f4 encoded(const Points *job, f4 light) {
    light = greatest4(least4(light, all(0.45f) + all(0.55f) * light), all(DARKEST));
    return clamped(exponentials(logarithms(light) / all(job->gamma)) / all(job->brightest), 1.0f / 255, 1);
}

static void light_points(const Points *job) {
    for (int at = 0; at < job->count; at++) job->values[at].value = linear_light(job, at, &job->values[at].y);
    if (job->overhead > 0) {
        for (int at = 0; at < job->straps_from; at++) job->room[at] = job->values[at].y;
        float usual = median(job->room, job->straps_from); // so that the cloth is not darker as a whole
        for (int at = 0; at < job->count; at++)
            job->values[at].value *= greatest(1 - job->overhead * (job->values[at].y - usual), LEAST_OVERHEAD);
    }
    for (int at = 0; at < job->count; at += 4) {
        Carried *of = job->values + at; // beyond the last point something may be read
        f4 light = {of[0].value, of[1].value, of[2].value, of[3].value};
        if (job->unexplained) light *= shades(job, at);
        light = encoded(job, light);
        for (int k = 0; k < 4 && at + k < job->count; k++) of[k].value = light[k];
    }
}

// Cosine of the skin's normal under a strap's point to the line of sight.
static inline float facing_under(const Points *job, int at) {
    return along(job->points[at].under, job->rotation + 6);
}

// How far the photograph shows skin at a row of points, 0 to 1.
static float skin_share(const Points *job, int first) {
    const u8 *pixel = job->pixels + 3 * (first - job->straps_from);
    float seen[3] = {0}, expected[3], bright = 0;
    for (int at = 0; at < job->breadth; at++) {
        for (int of = 0; of < 3; of++) seen[of] += greatest_of(pixel[3 * at + of], LEAST);
        bright += job->values[first + at].value * job->brightest;
    }
    for (int of = 0; of < 3; of++) seen[of] /= job->breadth, expected[of] = greatest(job->skin[of], LEAST);
    float share = along(seen, job->luma) / along(expected, job->luma) / least(bright / job->breadth, 1);
    f4 of = {seen[0] / seen[1], expected[0] / expected[1], seen[2] / seen[1], expected[2] / expected[1]};
    f4 colour = logarithms(of);
    float red = colour[0] - colour[1], blue = colour[2] - colour[3];
    float off = __builtin_sqrtf(red * red + blue * blue);
    return smooth((share - DARK) / (PLAIN - DARK)) * smooth((OTHER - off) / (OTHER - ALIKE));
}

// How far the photograph lets each row of a strap be seen, 0 to 1. A loop lies on the skin of the cheek; from the first
// row on where the picture shows no skin, it is hidden.
static void find_visible(const Points *job, int first, float *visible) {
    int high = job->points[first].over_hair > 0, pieces = job->pieces;
    float *skin = visible + pieces;
    for (int piece = 0; piece < pieces; piece++) {
        int at = first + piece * job->breadth;
        float beside = held((OUTLINE - facing_under(job, at)) / (OUTLINE - IN_FULL), 0, 1);
        float under = held((float)(piece - BEFORE) / (UNDER - BEFORE), 0, 1);
        float counts = high ? (piece < CHEEK ? beside : 0) : greatest(under, beside);
        skin[piece] = 1 - (1 - skin_share(job, at)) * counts;
    }
    float least_so_far = 1;
    for (int piece = 0; piece < pieces; piece++) {
        // A single pixel is unreliable, and a loop goes under hair bit by bit.
        float soft = skin[piece], *s = skin + piece;
        if (piece >= 2 && piece < pieces - 2) soft = (s[2] + s[1] + s[0] + s[-1] + s[-2]) / 5;
        if (piece >= pieces - LAST && !high) soft *= ENDS[piece - (pieces - LAST)];
        visible[piece] = least_so_far = least(least_so_far, soft);
    }
    visible[0] *= ROOT;
}

// Head straps fade out toward the back of the head: they lie in hair of unknown shape. Ear loops fade out on the head's
// silhouette, where they would break into dots. Both fade out where the skin under them turns away: the cheek in front
// hides it, and how far it reaches is not known. From there on a strap stays hidden.
static inline float opacity(const Points *job, int at) {
    const Point *point = job->points + at;
    float toward = along(point->ray, job->rotation + 6) / point->fade_from;
    return smooth(least(toward, facing_under(job, at) / TURNED_AWAY));
}

// Across a strap the atlas is constant, so there the column encodes the opacity.
static void place_strap(const Points *job, int first) {
    float *visible = job->room;
    if (job->pixels) find_visible(job, first, visible);
    for (int across = 0; across < job->breadth; across++) {
        float least_so_far = 1;
        for (int piece = 0; piece < job->pieces; piece++) {
            int at = first + piece * job->breadth + across;
            least_so_far = least(least_so_far, opacity(job, at));
            job->values[at].x = job->columns * (job->pixels ? least_so_far * visible[piece] : least_so_far) - 0.5f;
        }
    }
}

EXPORT(carry) void carry(const Points *job) {
    weighted_sum(job->turns, job->weights, job->modes, 3 * job->count, job->normals);
    light_points(job);
    for (int at = 0; at < job->count; at++) {
        const Point *point = job->points + at;
        float x = point->u * job->columns - 0.5f, moved = 0;
        for (int of = 0; of < 4; of++) moved += job->skew[of] * point->skew[of];
        job->values[at].x = job->turned ? job->columns - 1 - x : x;
        job->values[at].y = point->v * job->rows - 0.5f + job->rows * moved;
    }
    for (int strap = 0; strap < job->straps; strap++)
        place_strap(job, job->straps_from + strap * job->pieces * job->breadth);
    for (int at = job->count; at < job->count + job->behind; at++) job->values[at] = (Carried){0, 0, 0};
}

EXPORT(size_of_carry) int size_of_carry(void) { return sizeof(Points); }
