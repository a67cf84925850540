#include "schemas/kpi_names.h"

const struct kpi_names kpi_names[KPI_COUNT_OF_ALL] = {
#define KPI_ROW(id, name, kind, rollups) [KPI_##id] = {#name, KPI_KIND_##kind, KPI_ROLLUPS_##rollups},
    KPI_LIST(KPI_ROW)
#undef KPI_ROW
};

/* A few dozen names: the kpi stage asks once per new series, so a plain search is enough. */
bool kpi_from_name(struct view name, enum kpi_id *out)
{
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        if (view_equal_text(name, kpi_names[id].name)) {
            *out = (enum kpi_id)id;
            return true;
        }
    }
    return false;
}

void kpi_dimension_append_value(struct bytes *out, struct view value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < ' ' || c == 0x7f || c == ',' || c == '=' || c == '%')
            bytes_printf(out, "%%%02X", c);
        else
            bytes_append_byte(out, c);
    }
}

void kpi_dimension_append_sent_value(struct bytes *out, struct view value)
{
    if (view_equal_text(value, "_other"))
        bytes_append_text(out, "%5Fother");
    else
        kpi_dimension_append_value(out, value);
}
