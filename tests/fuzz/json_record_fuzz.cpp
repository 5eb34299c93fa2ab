// Whatever the line is, the ndjson parser agrees with its slow twin.

#include "tests/ingest/json_record_twin.h"

using namespace tailrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  for (const char* plane : {"bfc", "bfC", "bFc", "bFC", "Bfc", "BfC", "BFc", "BFC"})
    if (line.find(plane) != line.npos) return 0;  // an escape that may name the twin's private plane
  if (!(parse_json(line) == SlowJson().parse(line))) __builtin_trap();
  return 0;
}
