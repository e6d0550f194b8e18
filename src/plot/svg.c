/*
 * svg.c
 *	  Pictures as text: SVG that needs nothing besides itself.
 */
#include "base/base.h"

#include <math.h>

#include "plot/svg.h"

/* About the mean width of a letter of Helvetica, of its size. */
#define LETTER_WIDTH	0.54

static const char *const pens[] = {
	[SVG_FRAME] = "fill=\"none\" stroke=\"#000\" stroke-width=\"1\"",
	[SVG_GRID] = "fill=\"none\" stroke=\"#ddd\" stroke-width=\"0.8\"",
	[SVG_PLAIN] = "fill=\"none\" stroke=\"#000\" stroke-width=\"1.3\"",
	[SVG_BAR] = "fill=\"#b8c4d0\" stroke=\"#000\" stroke-width=\"0.8\"",
	[SVG_ABSENT] = "fill=\"none\" stroke=\"#555\" stroke-width=\"1\" stroke-dasharray=\"4 3\"",
	[SVG_SOLID] = "fill=\"#000\" stroke=\"#000\" stroke-width=\"1\"",
};

/* Okabe and Ito's colours, which colour-blind readers tell apart; dashes for print. */
static const struct
{
	const char *colour;
	const char *dashes;
}			curves[SVG_CURVES] = {
	{"#000000", NULL},
	{"#0072b2", "8 3"},
	{"#d55e00", "2 3"},
	{"#009e73", "10 3 2 3"},
	{"#cc79a7", "5 2"},
	{"#777777", "1 2"},
};

/* ---- text ---- */

/* XML 1.0 section 2.2: no control characters but tab and line ends, and no U+FFFE, U+FFFF. */
static void
append_escaped(StringInfo out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '&')
			appendStringInfoString(out, "&amp;");
		else if (c == '<')
			appendStringInfoString(out, "&lt;");
		else if (c == '>')
			appendStringInfoString(out, "&gt;");
		else if (c == '"')
			appendStringInfoString(out, "&quot;");
		else if (c == '\'')
			appendStringInfoString(out, "&#39;");
		else if (c < 0x20)
			appendStringInfoChar(out, c == '\t' || c == '\n' || c == '\r' ? ' ' : '?');
		else if (c == 0xEF && i + 2 < len && (unsigned char) text[i + 1] == 0xBF && (unsigned char) text[i + 2] >= 0xBE)
		{
			appendStringInfoChar(out, '?');
			i += 2;
		}
		else
			appendStringInfoChar(out, (char) c);
	}
}

static bool
begins_letter(char c)
{
	return ((unsigned char) c & 0xC0) != 0x80;
}

static size_t
count_letters(const char *text)
{
	size_t		n = 0;

	for (; *text != '\0'; text++)
		n += begins_letter(*text);
	return n;
}

/* Bytes of the first so many letters. */
static size_t
bytes_of_letters(const char *text, size_t letters)
{
	size_t		i = 0;

	for (; text[i] != '\0'; i++)
		if (begins_letter(text[i]) && letters-- == 0)
			break;
	return i;
}

double
svg_text_width(const char *text, double size)
{
	return count_letters(text) * size * LETTER_WIDTH;
}

static void
append_fitting(Svg *svg, const char *text, double size, double most)
{
	size_t		fits = (size_t) Max(4, most / (size * LETTER_WIDTH));

	if (count_letters(text) <= fits)
		append_escaped(&svg->text, text, strlen(text));
	else
	{
		append_escaped(&svg->text, text, bytes_of_letters(text, fits - 3));
		appendStringInfoString(&svg->text, "...");
	}
}

void
svg_text(Svg *svg, double x, double y, SvgAnchor anchor, double size, double most, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	appendStringInfo(&svg->text, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" text-anchor=\"%s\">", x, y, size, anchors[anchor]);
	append_fitting(svg, text, size, most);
	appendStringInfoString(&svg->text, "</text>\n");
}

void
svg_text_up(Svg *svg, double x, double y, double most, const char *text)
{
	appendStringInfo(&svg->text, "<text transform=\"translate(%.1f %.1f) rotate(-90)\" font-size=\"%.0f\" text-anchor=\"middle\">",
					 x, y, SVG_TEXT_SIZE);
	append_fitting(svg, text, SVG_TEXT_SIZE, most);
	appendStringInfoString(&svg->text, "</text>\n");
}

/* ---- the whole ---- */

static void
append_element(Svg *svg, const char *name, const char *text)
{
	appendStringInfo(&svg->text, "<%s>", name);
	append_escaped(&svg->text, text, strlen(text));
	appendStringInfo(&svg->text, "</%s>\n", name);
}

void
svg_begin(Svg *svg, double width, double height, const char *title, const char *description)
{
	svg->width = width;
	svg->height = height;
	initStringInfo(&svg->text);
	appendStringInfo(&svg->text, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
					 "font-family=\"Helvetica, Arial, sans-serif\" fill=\"#000\">\n", width, height, width, height);
	append_element(svg, "title", title);
	append_element(svg, "desc", description);
	appendStringInfo(&svg->text, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", width, height);
	svg_text(svg, 16, 26, SVG_START, 16, width - 32, title);
}

char *
svg_end(Svg *svg)
{
	appendStringInfoString(&svg->text, "</svg>\n");
	return svg->text.data;
}

/* ---- lines and areas ---- */

void
svg_line(Svg *svg, double x1, double y1, double x2, double y2, SvgPen pen)
{
	appendStringInfo(&svg->text, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, pens[pen]);
}

void
svg_rect(Svg *svg, double x, double y, double width, double height, SvgPen pen)
{
	appendStringInfo(&svg->text, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", x, y, width, height, pens[pen]);
}

void
svg_dot(Svg *svg, double x, double y, int curve)
{
	appendStringInfo(&svg->text, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x, y, curves[curve % SVG_CURVES].colour);
}

void
svg_path_begin(Svg *svg)
{
	appendStringInfoString(&svg->text, "<path d=\"");
}

void
svg_path_move(Svg *svg, double x, double y)
{
	appendStringInfo(&svg->text, "M%.1f %.1f", x, y);
}

void
svg_path_line(Svg *svg, double x, double y)
{
	appendStringInfo(&svg->text, "L%.1f %.1f", x, y);
}

void
svg_path_curve(Svg *svg, int curve)
{
	const char *dashes = curves[curve % SVG_CURVES].dashes;

	appendStringInfo(&svg->text, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"", curves[curve % SVG_CURVES].colour);
	if (dashes != NULL)
		appendStringInfo(&svg->text, " stroke-dasharray=\"%s\"", dashes);
	appendStringInfoString(&svg->text, "/>\n");
}

void
svg_path_band(Svg *svg, int curve)
{
	appendStringInfo(&svg->text, "Z\" fill=\"%s\" fill-opacity=\"0.12\" stroke=\"none\"/>\n", curves[curve % SVG_CURVES].colour);
}

void
svg_path_fill(Svg *svg, SvgPen pen)
{
	appendStringInfo(&svg->text, "Z\" %s/>\n", pens[pen]);
}
