#include "schemas/kpi_text.h"

#include <math.h>
#include <stdio.h>

void kpi_text_duration(char text[KPI_TEXT_SIZE], double ms)
{
    if (fabs(ms) >= 86400000)
        snprintf(text, KPI_TEXT_SIZE, "%.1f d", ms / 86400000);
    else if (fabs(ms) >= 3600000)
        snprintf(text, KPI_TEXT_SIZE, "%.1f h", ms / 3600000);
    else if (fabs(ms) >= 60000)
        snprintf(text, KPI_TEXT_SIZE, "%.1f min", ms / 60000);
    else
        snprintf(text, KPI_TEXT_SIZE, "%.1f s", ms / 1000);
}

void kpi_text_distance(char text[KPI_TEXT_SIZE], enum kpi_kind kind, double size)
{
    bool is_share = kind == KPI_KIND_RATE || kind == KPI_KIND_CHURN || kind == KPI_KIND_SHARE || kind == KPI_KIND_UPLIFT;
    size = fabs(is_share ? 100 * size : size);
    if (kind == KPI_KIND_DURATION)
        kpi_text_duration(text, size);
    else
        snprintf(text, KPI_TEXT_SIZE, size >= 10 ? "%.0f%s" : "%.2g%s", size, is_share || kind == KPI_KIND_NPS ? " points" : "");
}

void kpi_text_value(char text[KPI_TEXT_SIZE], enum kpi_kind kind, double value)
{
    if (kind == KPI_KIND_RATE || kind == KPI_KIND_CHURN || kind == KPI_KIND_SHARE)
        snprintf(text, KPI_TEXT_SIZE, "%.1f %%", 100 * value);
    else if (kind == KPI_KIND_UPLIFT)
        snprintf(text, KPI_TEXT_SIZE, "%+.1f pp", 100 * value);
    else if (kind == KPI_KIND_DURATION)
        kpi_text_duration(text, value);
    else if (kind == KPI_KIND_MEAN)
        snprintf(text, KPI_TEXT_SIZE, "%.2f", value);
    else
        snprintf(text, KPI_TEXT_SIZE, "%.0f", value);
}
