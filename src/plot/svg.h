/*
 * svg.h
 *	  Pictures as text: SVG that needs nothing besides itself.
 *
 * No script, no link, no font file.  Every text of a caller is escaped; what XML
 * 1.0 can't hold becomes a question mark.  Lengths are user units, at 96 to
 * an inch; y grows downwards.  Styles do not rest on colour alone: lines
 * differ in their dashes, and colours in their grey.
 *
 * W3C, "Scalable Vector Graphics (SVG) 1.1", 2011; WAI-ARIA role img.
 */
#ifndef SECMED_SVG_H
#define SECMED_SVG_H

#include "base/base.h"

typedef struct Svg
{
	StringInfoData text;
	double		width;
	double		height;
} Svg;

typedef enum SvgAnchor
{
	SVG_START,
	SVG_MIDDLE,
	SVG_END
} SvgAnchor;

/* How a line or area looks. */
typedef enum SvgPen
{
	SVG_FRAME,					/* axes */
	SVG_GRID,					/* light, behind */
	SVG_PLAIN,					/* black, thin */
	SVG_BAR,					/* filled grey with an outline */
	SVG_ABSENT,					/* dashed outline: something is there that isn't shown */
	SVG_SOLID					/* filled black */
} SvgPen;

/* Letters of the usual text, and of small print. */
#define SVG_TEXT_SIZE	13.0
#define SVG_SMALL_SIZE	11.0

/* The picture's title is drawn as well; `description` is for who can't see it. */
extern void svg_begin(Svg *svg, double width, double height, const char *title, const char *description);

/* The whole, palloc'd. */
extern char *svg_end(Svg *svg);

extern void svg_line(Svg *svg, double x1, double y1, double x2, double y2, SvgPen pen);
extern void svg_dot(Svg *svg, double x, double y, int curve);
extern void svg_rect(Svg *svg, double x, double y, double width, double height, SvgPen pen);

/* Cut to about `most` wide; a size below that of small print is not used. */
extern void svg_text(Svg *svg, double x, double y, SvgAnchor anchor, double size, double most, const char *text);

/* Upwards, around (x, y). */
extern void svg_text_up(Svg *svg, double x, double y, double most, const char *text);

/* About how wide a text is. */
extern double svg_text_width(const char *text, double size);

/* ---- paths: points are added, then it is drawn ---- */

extern void svg_path_begin(Svg *svg);
extern void svg_path_move(Svg *svg, double x, double y);
extern void svg_path_line(Svg *svg, double x, double y);

/* As the line of the curve with this number, counted from 0, or as the area around it. */
extern void svg_path_curve(Svg *svg, int curve);
extern void svg_path_band(Svg *svg, int curve);
extern void svg_path_fill(Svg *svg, SvgPen pen);

/* So many curves look different; more repeat them. */
#define SVG_CURVES		6

#endif							/* SECMED_SVG_H */
