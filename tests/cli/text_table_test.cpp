#include "cli/text_table.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("columns are as wide as their widest cell, and none is empty") {
  CHECK(text_table({{"ID", "NAME", "X"}, {"1", "grün", ""}, {"1000", "", "y"}}) ==
        "ID    NAME  X\n"
        "1     grün  -\n"
        "1000  -     y\n");
}

TEST_CASE("counts for people") {
  CHECK(counted(1, "drain") == "1 drain");
  CHECK(counted(0, "drain") == "0 drains");
  CHECK(counted(1'234'567, "record") == "1,234,567 records");
}
