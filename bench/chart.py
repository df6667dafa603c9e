# SPDX-License-Identifier: Apache-2.0
"""A bar chart, as SVG."""

import html
import math

_COLORS = ["#888888", "#d08c27", "#2a6f97", "#7a9e4c", "#8c4f7f", "#333333"]


def bars(title, unit, groups, series, footer):
    """Draws what Report.add_chart() describes as SVG."""
    left, top, height, bar, gap = 60, 60, 260, 26, 30
    group = bar * len(series) + gap
    width = max(left + group * len(groups) + 20, 640)
    top_value = max(t for _, values in series for _, t in values) or 1
    # About five lines, with numbers that are easy to read.
    magnitude = 10 ** math.floor(math.log10(top_value / 5))
    step = next(magnitude * factor for factor in (1, 2, 5, 10)
                if magnitude * factor * 5 >= top_value)
    n_steps = math.ceil(top_value / step)
    scale = height / (n_steps * step)
    out = []

    def text(x, y, words, anchor="middle", size=12):
        out.append('<text x="%.1f" y="%.1f" font-size="%d" '
                   'text-anchor="%s">%s</text>'
                   % (x, y, size, anchor, html.escape(str(words))))

    def line(x1, y1, x2, y2, color):
        out.append('<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"/>'
                   % (x1, y1, x2, y2, color))

    text(left, 22, title, "start", 15)
    x = left
    for i, (name, _) in enumerate(series):
        out.append('<rect x="%d" y="34" width="12" height="12" fill="%s"/>'
                   % (x, _COLORS[i % len(_COLORS)]))
        text(x + 17, 44, name, "start")
        x += 17 + 7.5 * len(name) + 20
    for i in range(n_steps + 1):
        y = top + height - i * step * scale
        line(left, y, width - 20, y, "#dddddd")
        text(left - 6, y + 4, "%g" % (i * step), "end")
    text(left - 6, top - 8, unit, "end")
    for g, name in enumerate(groups):
        x = left + gap / 2 + g * group
        for i, (_, values) in enumerate(series):
            value, whisker = values[g]
            y = top + height - value * scale
            out.append('<rect x="%.1f" y="%.1f" width="%d" height="%.1f" '
                       'fill="%s"/>' % (x, y, bar - 4, value * scale,
                                        _COLORS[i % len(_COLORS)]))
            middle = x + (bar - 4) / 2
            tip = top + height - whisker * scale
            line(middle, y, middle, tip, "#000000")
            line(middle - 5, tip, middle + 5, tip, "#000000")
            x += bar
        text(x - bar * len(series) / 2 - 2, top + height + 18, name)
    for i, words in enumerate(footer.split("; ")):
        text(left, top + height + 44 + 14 * i, words, "start", 10)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'font-family="sans-serif">\n'
            '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n'
            % (width, top + height + 90, "\n".join(out)))
