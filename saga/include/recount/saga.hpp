#pragma once

/// Everything of recount::saga: plans as data, the engine that carries them out, what became of
/// them.

#include <recount/saga/engine.hpp>
#include <recount/saga/hooks.hpp>
#include <recount/saga/plan.hpp>
#include <recount/saga/status.hpp>
