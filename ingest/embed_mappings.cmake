# cmake -D OUT=file.c -D DIR=mappings -P embed_mappings.cmake: every .jq file as text inside the program.
# touchstream.jq, the functions every mapping may use, becomes mapping_prelude.
file(GLOB files ${DIR}/*.jq)
list(SORT files)
set(arrays "")
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  if(name STREQUAL "touchstream")
    string(APPEND arrays "extern const char mapping_prelude[];\nconst char mapping_prelude[] = {${bytes}0};\n")
  else()
    string(APPEND arrays "static const char ${name}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", ${name}},\n")
  endif()
endforeach()
file(WRITE ${OUT} "struct shipped_mapping { const char *name, *program; };\n${arrays}
extern const struct shipped_mapping shipped_mappings[];
const struct shipped_mapping shipped_mappings[] = {\n${rows}    {(void *)0, (void *)0},\n};\n")
