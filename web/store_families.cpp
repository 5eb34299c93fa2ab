#include "web/store_families.h"

namespace tailrace {

void write_store_families(ExpositionWriter& out, const StoreStatus& store) {
  if (!store.on_disk) return;
  out.family("tailrace_store_bytes", FamilyType::gauge, "Bytes that the segments take on disk.");
  out.sample(ExpositionWriter::Labels{}, store.bytes);
  out.family("tailrace_store_segments", FamilyType::gauge, "Segments on disk.");
  out.sample(ExpositionWriter::Labels{}, store.segments);
  out.family(
      "tailrace_store_damaged_records_total", FamilyType::counter,
      "Records that the disk did not give back, since the start: damaged when somebody read them, torn at "
      "the last end (nobody was told of those), missing when the start looked.");
  out.sample({{"reason", "damaged"}}, store.damaged);
  out.sample({{"reason", "torn"}}, store.torn);
}

}  // namespace tailrace
