// What add-ons do with async resources: contexts that they make and call back in, from anywhere and
// as often as they like, and functions that a thread of theirs calls.
#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>

static napi_value undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

static napi_value name(napi_env env, const char *text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

// init(resource): an async context whose async resource is the object.
static napi_value init(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value resource, handle;
  napi_async_context context;
  napi_get_cb_info(env, info, &count, &resource, NULL, NULL);
  napi_async_init(env, resource, name(env, "PLANTED"), &context);
  napi_create_external(env, context, NULL, NULL, &handle);
  return handle;
}

// call(handle, callback): calls back in the async context, here and now.
static napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], receiver, result = NULL;
  void *context;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_external(env, arguments[0], &context);
  napi_create_object(env, &receiver);
  napi_make_callback(env, context, receiver, arguments[1], 0, NULL, &result);
  return result;
}

// destroy(handle)
static napi_value destroy(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle;
  void *context;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  napi_get_value_external(env, handle, &context);
  napi_async_destroy(env, context);
  return undefined(env);
}

static void *work(void *function) {
  for (int turn = 0; turn < 3; turn++) {
    napi_call_threadsafe_function(function, NULL, napi_tsfn_blocking);
  }
  napi_release_threadsafe_function(function, napi_tsfn_release);
  return NULL;
}

// threadsafe(callback): a thread calls back three times.
static napi_value threadsafe(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value callback;
  napi_threadsafe_function function;
  pthread_t thread;
  napi_get_cb_info(env, info, &count, &callback, NULL, NULL);
  napi_create_threadsafe_function(env, callback, NULL, name(env, "PLANTED"), 0, 1, NULL, NULL, NULL,
                                  NULL, &function);
  pthread_create(&thread, NULL, work, function);
  pthread_detach(thread);
  return undefined(env);
}

static void add(napi_env env, napi_value exports, const char *key, napi_callback callback) {
  napi_value function;
  napi_create_function(env, key, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, key, function);
}

NAPI_MODULE_INIT() {
  add(env, exports, "init", init);
  add(env, exports, "call", call);
  add(env, exports, "destroy", destroy);
  add(env, exports, "threadsafe", threadsafe);
  return exports;
}
