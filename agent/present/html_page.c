// html_page: see the header. Called by render_html.c and render_report_html.c. What is printed must
// be told by more than its colour.
#include "html_page.h"

void html_begin(struct buf *out, const char *title) {
    buf_printf(out,
               "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
               "<title>%s</title>\n",
               title);
    buf_add_text(
        out,
        "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;"
        "max-width:60rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.4rem}"
        "h2{font-size:1.15rem;margin-top:2.5rem}h3{font-size:1rem;margin-top:1.8rem}"
        "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
        "padding:.35rem .6rem;border-bottom:1px solid #8884}.n{text-align:right;white-space:nowrap}"
        ".critical,.severe{color:#c22;font-weight:600}.moderate{color:#a60;font-weight:600}"
        ".negligible{opacity:.6}.advice{border-left:3px solid #48c;padding-left:.8rem}"
        "figure{margin:1.2rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}"
        "svg text{fill:currentColor;font:13px system-ui,sans-serif}.bar{fill:#48c}"
        ".base{fill:#48c5;stroke:#48c;stroke-dasharray:4 3}.line{stroke:currentColor;fill:none}"
        "@media print{body{max-width:none;margin:0;font-size:11pt}figure,tr{break-inside:avoid}"
        "h2,h3{break-after:avoid}}</style>");
    buf_printf(out, "</head><body><h1>%s</h1>\n", title);
}

void html_end(struct buf *out) {
    buf_add_text(out, "</body></html>\n");
}
