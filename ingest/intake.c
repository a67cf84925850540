#include "ingest/intake.h"

void intake_put_payload(struct intake *intake, struct view text)
{
    intake->text = text;
    intake->fault = (struct json_fault){0};
    intake->is_pending = true;
    if (intake->mapping)
        mapping_put_json(intake->mapping, text, intake->arena, &intake->fault);
}

void intake_put_row(struct intake *intake, const struct rows *rows, const struct raw_record *row,
                    const struct json_fault *fault)
{
    if (!fault->code && intake->mapping && rows->format == ROWS_CSV)
        mapping_put_row(intake->mapping, rows->csv.columns, rows->csv.fields, rows->csv.field_count);
    else if (!fault->code && intake->mapping && rows->format == ROWS_TEXT)
        mapping_put_line(intake->mapping, row->text, row->line);
    else if (!fault->code) {
        intake_put_payload(intake, row->text);
        return;
    }
    intake->text = row->text;
    intake->fault = *fault;
    intake->is_pending = true;
}

static enum intake_step take_mapped(struct intake *intake, struct touchpoint *out, struct json_fault *fault)
{
    struct view json;
    *out = (struct touchpoint){0};
    switch (mapping_take(intake->mapping, &json, intake->arena, fault)) {
    case MAPPING_TOUCHPOINT:
        /* The mapping's text lasts until its next output only; the touchpoint must last as long as the arena. */
        return accept_form(out, arena_copy(intake->arena, json), ACCEPT_FORM, intake->default_source, intake->arena, fault)
                   ? INTAKE_TOUCHPOINT
                   : INTAKE_FAULT;
    case MAPPING_FAILED:
        intake->is_pending = false;
        return INTAKE_FAULT;
    default:
        intake->is_pending = false;
        return INTAKE_END;
    }
}

enum intake_step intake_take(struct intake *intake, struct touchpoint *out, struct json_fault *fault)
{
    if (!intake->is_pending)
        return INTAKE_END;
    if (intake->mapping && !intake->fault.code)
        return take_mapped(intake, out, fault);
    intake->is_pending = false;
    *out = (struct touchpoint){0};
    *fault = intake->fault;
    if (fault->code)
        return INTAKE_FAULT;
    return accept_form(out, intake->text, ACCEPT_EITHER, intake->default_source, intake->arena, fault) ? INTAKE_TOUCHPOINT : INTAKE_FAULT;
}
