// libraries: the versions of the libraries that only this room uses, for `stoker version`. Avro C
// tells its version nowhere.
#pragma once

const char *libraries_curl(void);    // static text, "7.88.1"
const char *libraries_jansson(void); // static text, "2.14"
