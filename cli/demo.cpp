#include "cli/demo.h"

#include "cli/command.h"

namespace tailrace {

int run_demo(const Settings&, const DemoOptions&) {
  return not_built_yet("demo");
}

}  // namespace tailrace
