// sum(n, callback): adds 1 to n on a thread of the pool and calls back with the result.
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>

typedef struct {
  napi_async_work work;
  napi_ref callback;
  uint32_t n;
  double sum;
} Job;

// On the thread: no JavaScript here.
static void execute(napi_env env, void *data) {
  Job *job = data;
  (void)env;
  for (uint32_t i = 1; i <= job->n; i++) job->sum += i;
}

// Back on the event loop: Node has told `before`, and tells `after` when this returns.
static void complete(napi_env env, napi_status status, void *data) {
  Job *job = data;
  napi_value receiver, callback, sum;
  (void)status;
  napi_get_undefined(env, &receiver);
  napi_get_reference_value(env, job->callback, &callback);
  napi_create_double(env, job->sum, &sum);
  napi_call_function(env, receiver, callback, 1, &sum, NULL);
  napi_delete_reference(env, job->callback);
  napi_delete_async_work(env, job->work);  // tells `destroy`
  free(job);
}

static napi_value sum(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], name;
  Job *job = calloc(1, sizeof *job);
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_uint32(env, arguments[0], &job->n);
  napi_create_reference(env, arguments[1], 1, &job->callback);
  // The name is the type of the async resource. This tells `init`, in the caller's context.
  napi_create_string_utf8(env, "SUM", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, job, &job->work);
  napi_queue_async_work(env, job->work);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "sum", NAPI_AUTO_LENGTH, sum, NULL, &function);
  napi_set_named_property(env, exports, "sum", function);
  return exports;
}
