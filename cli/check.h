#pragma once
// `tailrace check`: what is wrong with the configuration, before the router is started with it.

namespace tailrace {

int run_check(int argc, char** argv);

}  // namespace tailrace
