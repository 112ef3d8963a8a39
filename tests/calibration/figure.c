/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/calibration/figure.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 640, HEIGHT = 360, LEFT = 56, RIGHT = 16, TOP = 40, BOTTOM = 48 };

struct frame {
    double low;
    double high;
};

static double x_of(const struct frame *frame, double value)
{
    return LEFT + (value - frame->low) / (frame->high - frame->low) * (WIDTH - LEFT - RIGHT);
}

static double y_of(double part)
{
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
}

/* A step at each sample. */
static void draw_steps(FILE *out, const struct frame *frame, const struct samples *samples,
                       const char *colour)
{
    fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M%d %.1f", colour, LEFT, y_of(0));
    for (size_t i = 0; i < samples->count; i++) {
        fprintf(out, "H%.1fV%.1f", x_of(frame, samples->values[i]),
                y_of((double)(i + 1) / (double)samples->count));
    }
    fprintf(out, "H%d\"/>\n", WIDTH - RIGHT);
}

static void draw_axes(FILE *out, const struct frame *frame)
{
    double span = frame->high - frame->low;
    double step = pow(10, floor(log10(span)));
    while (span / step < 4) {
        step /= 2;
    }
    for (double at = ceil(frame->low / step) * step; at <= frame->high; at += step) {
        fprintf(out,
                "<path stroke=\"#ddd\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"middle\">%.4g</text>\n",
                x_of(frame, at), TOP, HEIGHT - BOTTOM, x_of(frame, at), HEIGHT - BOTTOM + 18, at);
    }
    for (int quarter = 0; quarter <= 4; quarter++) {
        double y = y_of(quarter / 4.0);
        fprintf(out,
                "<path stroke=\"#ddd\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%.2f</text>\n",
                LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, quarter / 4.0);
    }
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">seconds</text>\n", WIDTH / 2, HEIGHT - 8);
}

bool figure_write(const char *path, const char *title, const struct samples *measured,
                  const struct samples *simulated)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        return false;
    }
    struct frame frame = {fmin(measured->values[0], simulated->values[0]),
                          fmax(measured->values[measured->count - 1],
                               simulated->values[simulated->count - 1])};
    double margin = (frame.high - frame.low) * 0.03 + 1e-4;
    frame.low -= margin;
    frame.high += margin;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, HEIGHT);
    draw_axes(out, &frame);
    draw_steps(out, &frame, simulated, "#2b6cb0");
    draw_steps(out, &frame, measured, "#c05621");
    fprintf(out,
            "<text x=\"%d\" y=\"16\" font-size=\"14\">%s</text>\n"
            "<text x=\"%d\" y=\"32\" fill=\"#c05621\">etcd, %zu trials</text>"
            "<text x=\"%d\" y=\"32\" fill=\"#2b6cb0\">simulated, %zu seeds</text>\n</svg>\n",
            LEFT, title, LEFT, measured->count, LEFT + 160, simulated->count);
    return fclose(out) == 0;
}
