// version: which libcurl runs, for `stoker version`.
#pragma once

const char *net_library_version(void); // static text, "7.88.1"
