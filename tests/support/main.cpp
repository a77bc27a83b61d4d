#if defined(__GNUC__) && !defined(__clang__)
// Catch's use of <regex>, seen through AddressSanitizer: a false alarm of GCC 12.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
