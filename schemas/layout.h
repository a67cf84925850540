/* Whether two Avro schemas put the same bytes in the same places, whatever else they say (docs, defaults, logical types,
 * namespaces, white space). Records and enums still have to be called alike. false, too, when one is no JSON. */
#ifndef TS_SCHEMAS_LAYOUT_H
#define TS_SCHEMAS_LAYOUT_H

#include "base/view.h"

bool schema_same_layout(struct view a, struct view b);

#endif
