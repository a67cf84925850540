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
