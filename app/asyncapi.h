/* The topics as an AsyncAPI 3.0 document, for catalogues and code generators: docs/asyncapi.yaml. */
#ifndef TS_APP_ASYNCAPI_H
#define TS_APP_ASYNCAPI_H

#include <stdio.h>

/* Schemas are named by path from docs/, where the document stands. */
void asyncapi_print(FILE *out);

#endif
