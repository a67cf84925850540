#include "processors/journey/sentiment/train/minimise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 6 };

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void add_scaled(float *a, double scale, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] += (float)scale * b[i];
}

struct memory {
    float *steps[REMEMBERED], *turns[REMEMBERED]; /* differences of places and of gradients */
    double rho[REMEMBERED];
    int used, next;
};

/* direction: the gradient on entry, minus the approximate Newton step on return. */
static void two_loops(const struct memory *memory, float *direction, size_t count)
{
    double alpha[REMEMBERED];
    for (int k = 1; k <= memory->used; k++) {
        int i = (memory->next - k + REMEMBERED) % REMEMBERED;
        alpha[i] = memory->rho[i] * dot(memory->steps[i], direction, count);
        add_scaled(direction, -alpha[i], memory->turns[i], count);
    }
    int latest = (memory->next - 1 + REMEMBERED) % REMEMBERED;
    double scale = memory->used ? 1 / (memory->rho[latest] * dot(memory->turns[latest], memory->turns[latest], count)) : 1;
    for (size_t i = 0; i < count; i++)
        direction[i] *= (float)scale;
    for (int k = memory->used; k >= 1; k--) {
        int i = (memory->next - k + REMEMBERED) % REMEMBERED;
        double beta = memory->rho[i] * dot(memory->turns[i], direction, count);
        add_scaled(direction, alpha[i] - beta, memory->steps[i], count);
    }
    for (size_t i = 0; i < count; i++)
        direction[i] = -direction[i];
}

void minimise(float *at, size_t count, int iterations, minimise_function *function, void *context)
{
    struct memory memory = {0};
    float *gradient = malloc(count * sizeof(float)), *direction = malloc(count * sizeof(float));
    float *try_at = malloc(count * sizeof(float)), *try_gradient = malloc(count * sizeof(float));
    for (int i = 0; i < REMEMBERED; i++) {
        memory.steps[i] = malloc(count * sizeof(float));
        memory.turns[i] = malloc(count * sizeof(float));
    }
    double value = function(at, gradient, context);
    for (int round = 0; round < iterations; round++) {
        memcpy(direction, gradient, count * sizeof(float));
        two_loops(&memory, direction, count);
        double slope = dot(direction, gradient, count), length = round ? 1 : 1 / sqrt(dot(gradient, gradient, count) + 1e-12);
        double try_value = 0;
        int halvings = 0;
        for (; halvings < 20; halvings++, length /= 2) {
            memcpy(try_at, at, count * sizeof(float));
            add_scaled(try_at, length, direction, count);
            try_value = function(try_at, try_gradient, context);
            if (try_value <= value + 1e-4 * length * slope)
                break;
        }
        if (halvings == 20)
            break;
        float *step = memory.steps[memory.next], *turn = memory.turns[memory.next];
        for (size_t i = 0; i < count; i++) {
            step[i] = try_at[i] - at[i];
            turn[i] = try_gradient[i] - gradient[i];
        }
        double curvature = dot(step, turn, count);
        if (curvature > 1e-10) {
            memory.rho[memory.next] = 1 / curvature;
            memory.next = (memory.next + 1) % REMEMBERED;
            memory.used += memory.used < REMEMBERED;
        }
        double gain = value - try_value;
        memcpy(at, try_at, count * sizeof(float));
        memcpy(gradient, try_gradient, count * sizeof(float));
        value = try_value;
        if (gain < 1e-7 * fabs(value))
            break;
    }
    for (int i = 0; i < REMEMBERED; i++) {
        free(memory.steps[i]);
        free(memory.turns[i]);
    }
    free(gradient);
    free(direction);
    free(try_at);
    free(try_gradient);
}
