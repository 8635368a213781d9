//! The native methods under the names that the JVM looks for: `dev.faultlayer.runtime.Native` of the library's jar, and
//! the agent's copy of it in a package of its own, so that the two never meet in one class loader. Owns the names alone.
//!
//! SAFETY, for every function here: the JVM calls it with the environment of the calling thread and live local
//! references of the types that the Java declaration has; handles are those that this library gave out and, as the two
//! jars keep to it, not ended yet.

use faultlayer_core::boundary::DEADLINE_TRIES;
use jni_sys::{JNIEnv, jarray, jboolean, jclass, jint, jlong, jobject, jobjectArray, jstring};

use crate::event::Jvm;
use crate::host::{self, Told};
use crate::{calls, layer, library, redefine, session, watching};

macro_rules! native {
    ($($agent:ident, $library:ident: ($env:ident $(, $argument:ident: $type:ty)*) $(-> $answer:ty)? $body:block)*) => {
        $(
            // SAFETY: the name is the JVM's for this method, and no other library of the process has it.
            #[unsafe(no_mangle)]
            extern "system" fn $agent($env: *mut JNIEnv, _class: jclass $(, $argument: $type)*) $(-> $answer)? $body

            // SAFETY: as above.
            #[unsafe(no_mangle)]
            extern "system" fn $library($env: *mut JNIEnv, _class: jclass $(, $argument: $type)*) $(-> $answer)? $body
        )*
    };
}

native! {
    Java_dev_faultlayer_agent_runtime_Native_layer, Java_dev_faultlayer_runtime_Native_layer: (env) -> jlong {
        // SAFETY: see the module.
        layer::layer(unsafe { Jvm::new(env) })
    }

    Java_dev_faultlayer_agent_runtime_Native_library, Java_dev_faultlayer_runtime_Native_library:
    (env, plan: jstring, identity: jobjectArray) -> jobjectArray {
        // SAFETY: see the module.
        let jvm = unsafe { Jvm::new(env) };
        match library::library(jvm, plan, identity) {
            Ok(handle) => jvm.strings([Some(handle.to_string().as_str())].into_iter()),
            Err(refusal) => jvm.strings([None, Some(refusal.as_str())].into_iter()),
        }
    }

    Java_dev_faultlayer_agent_runtime_Native_replace, Java_dev_faultlayer_runtime_Native_replace:
    (env, handle: jlong, plan: jstring) -> jstring {
        // SAFETY: see the module.
        unsafe {
            let jvm = Jvm::new(env);
            jvm.string(library::replace(jvm, handle, plan).as_deref())
        }
    }

    Java_dev_faultlayer_agent_runtime_Native_free, Java_dev_faultlayer_runtime_Native_free: (_env, handle: jlong) {
        // SAFETY: see the module.
        unsafe { host::free(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_reads, Java_dev_faultlayer_runtime_Native_reads: (_env, handle: jlong) -> jint {
        // SAFETY: see the module.
        unsafe { host::reads(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_deadlineTries, Java_dev_faultlayer_runtime_Native_deadlineTries: (_env) -> jint {
        jint::try_from(DEADLINE_TRIES).unwrap_or(jint::MAX)
    }

    Java_dev_faultlayer_agent_runtime_Native_noChance, Java_dev_faultlayer_runtime_Native_noChance:
    (env, handle: jlong) -> jobjectArray {
        // SAFETY: see the module.
        unsafe { library::no_chance(Jvm::new(env), handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_report, Java_dev_faultlayer_runtime_Native_report:
    (env, handle: jlong, of_client: jboolean, message: jstring) {
        // SAFETY: see the module.
        unsafe { layer::report(Jvm::new(env), handle, of_client, message) }
    }

    Java_dev_faultlayer_agent_runtime_Native_settle, Java_dev_faultlayer_runtime_Native_settle: (_env, handle: jlong) {
        // SAFETY: see the module.
        unsafe { layer::settle(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_isQuiet, Java_dev_faultlayer_runtime_Native_isQuiet:
    (env, handle: jlong, request_id: jstring, length: jint) -> jboolean {
        // SAFETY: see the module.
        unsafe { host::is_quiet(Jvm::new(env), handle, request_id, length) }
    }

    Java_dev_faultlayer_agent_runtime_Native_idTells, Java_dev_faultlayer_runtime_Native_idTells:
    (_env, handle: jlong) -> jboolean {
        // SAFETY: see the module.
        unsafe { host::id_tells(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_decide, Java_dev_faultlayer_runtime_Native_decide:
    (
        env, handle: jlong, request_id: jstring, deadline_ms: jlong, arn: jstring, client_context: jstring, event: jobject,
        now_us: jlong, reads: jint
    ) -> jlong {
        let told = Told { request_id, deadline_ms, arn, client_context, event, now_us, reads };
        // SAFETY: see the module.
        unsafe { host::decide(Jvm::new(env), handle, &told) }
    }

    Java_dev_faultlayer_agent_runtime_Native_before, Java_dev_faultlayer_runtime_Native_before:
    (env, handle: jlong, deadline_ms: jlong) -> jobjectArray {
        // SAFETY: see the module.
        unsafe { session::before(Jvm::new(env), handle, deadline_ms) }
    }

    Java_dev_faultlayer_agent_runtime_Native_wantsText, Java_dev_faultlayer_runtime_Native_wantsText:
    (_env, handle: jlong) -> jboolean {
        // SAFETY: see the module.
        unsafe { session::wants_text(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_returned, Java_dev_faultlayer_runtime_Native_returned:
    (env, handle: jlong, answer: jarray, now_us: jlong) -> jobjectArray {
        // SAFETY: see the module.
        unsafe { session::returned(Jvm::new(env), handle, answer, now_us) }
    }

    Java_dev_faultlayer_agent_runtime_Native_failed, Java_dev_faultlayer_runtime_Native_failed:
    (env, handle: jlong, now_us: jlong) -> jobjectArray {
        // SAFETY: see the module.
        unsafe { session::failed(Jvm::new(env), handle, now_us) }
    }

    Java_dev_faultlayer_agent_runtime_Native_end, Java_dev_faultlayer_runtime_Native_end: (_env, handle: jlong) {
        // SAFETY: see the module.
        unsafe { session::end(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_calls, Java_dev_faultlayer_runtime_Native_calls: (_env, handle: jlong) -> jlong {
        // SAFETY: see the module.
        unsafe { session::calls(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_met, Java_dev_faultlayer_runtime_Native_met:
    (env, number: jlong, told: jarray, body: jarray, now_us: jlong) -> jarray {
        // SAFETY: see the module.
        calls::met(unsafe { Jvm::new(env) }, number, told, body, now_us)
    }

    Java_dev_faultlayer_agent_runtime_Native_scopes, Java_dev_faultlayer_runtime_Native_scopes:
    (env, number: jlong) -> jobjectArray {
        // SAFETY: see the module.
        calls::scopes(unsafe { Jvm::new(env) }, number)
    }

    Java_dev_faultlayer_agent_runtime_Native_unattributed, Java_dev_faultlayer_runtime_Native_unattributed:
    (_env, number: jlong) {
        calls::unattributed(number);
    }

    Java_dev_faultlayer_agent_runtime_Native_calledElsewhere, Java_dev_faultlayer_runtime_Native_calledElsewhere:
    (_env, handle: jlong) {
        // SAFETY: see the module.
        unsafe { host::called_elsewhere(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_records, Java_dev_faultlayer_runtime_Native_records: (env) -> jobjectArray {
        let lines = library::lines();
        if lines.is_empty() {
            return std::ptr::null_mut();
        }
        // SAFETY: see the module.
        unsafe { Jvm::new(env) }.strings(lines.iter().map(|line| Some(line.as_str())))
    }

    Java_dev_faultlayer_agent_runtime_Native_decideCalls, Java_dev_faultlayer_runtime_Native_decideCalls:
    (env, handle: jlong, request_id: jstring) -> jlong {
        // SAFETY: see the module.
        unsafe { host::decide_calls(Jvm::new(env), handle, request_id) }
    }

    Java_dev_faultlayer_agent_runtime_Native_hitsConnections, Java_dev_faultlayer_runtime_Native_hitsConnections:
    (_env, handle: jlong) -> jboolean {
        // SAFETY: see the module.
        unsafe { host::hits_connections(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_bytes, Java_dev_faultlayer_runtime_Native_bytes: (env, class: jclass) -> jarray {
        // SAFETY: see the module.
        redefine::bytes(unsafe { Jvm::new(env) }, class)
    }

    Java_dev_faultlayer_agent_runtime_Native_redefine, Java_dev_faultlayer_runtime_Native_redefine:
    (env, class: jclass, bytes: jarray) -> jint {
        // SAFETY: see the module.
        redefine::redefine(unsafe { Jvm::new(env) }, class, bytes)
    }

    Java_dev_faultlayer_agent_runtime_Native_atSdk, Java_dev_faultlayer_runtime_Native_atSdk: (env, first: jobject) -> jboolean {
        // SAFETY: see the module.
        watching::at_sdk(unsafe { Jvm::new(env) }, first)
    }

    Java_dev_faultlayer_agent_runtime_Native_hitsCalls, Java_dev_faultlayer_runtime_Native_hitsCalls:
    (_env, handle: jlong) -> jboolean {
        // SAFETY: see the module.
        unsafe { host::hits_calls(handle) }
    }

    Java_dev_faultlayer_agent_runtime_Native_define, Java_dev_faultlayer_runtime_Native_define:
    (env, loader: jobject, bytes: jarray) -> jclass {
        // SAFETY: see the module.
        unsafe { Jvm::new(env) }.define(loader, bytes)
    }
}
