#include "cli/serve.h"

#include "cli/command.h"

namespace tailrace {

int run_serve(const Settings&) {
  return not_built_yet("serve");
}

}  // namespace tailrace
