//! Waits for the first class of one of AWS's SDKs, by an event of the JVM's tool interface that takes less than a microsecond a
//! class: a transformer of the agent's is handed a copy of every class's bytes. Does not own what then begins (the Java side).

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use jni_sys::{_jobject, JNI_FALSE, JNI_TRUE, JNIEnv, jboolean, jclass, jobject};

use crate::event::Jvm;
use crate::tools::{CLASS_PREPARE, Callbacks, Raw, Tools, tell_no_more, with_signature};

/// What is to run then, a `Runnable`, held for the process; null from then on.
static FIRST: AtomicPtr<_jobject> = AtomicPtr::new(ptr::null_mut());

/// Runs `first` once, in the thread in which the first such class is ready for use: before any that makes calls is loaded,
/// since a client's superclass and interfaces are prepared before it. False where the JVM does not tell of classes.
pub fn at_sdk(jvm: Jvm, first: jobject) -> jboolean {
    let Some(tools) = Tools::of(jvm) else { return JNI_FALSE };
    let env = jvm.raw();
    // SAFETY: `env` is the running thread's environment, `first` a live local reference.
    let held = unsafe { ((**env).v1_2.NewGlobalRef)(env, first) };
    FIRST.store(held, Ordering::Release);
    let callbacks = Callbacks { class_prepare: Some(class_prepare), ..Callbacks::default() };
    if held.is_null() || tools.tell(CLASS_PREPARE, &callbacks) != 0 {
        FIRST.store(ptr::null_mut(), Ordering::Release);
        return JNI_FALSE;
    }
    tools.keep();
    JNI_TRUE
}

/// The second version's core, and the first one's own package, without those below it, in which the runtime client and others
/// live too.
fn is_sdk(signature: &[u8]) -> bool {
    let first = signature.strip_prefix(b"Lcom/amazonaws/").is_some_and(|name| !name.contains(&b'/'));
    first || signature.starts_with(b"Lsoftware/amazon/awssdk/core/")
}

unsafe extern "system" fn class_prepare(tools: Raw, env: *mut JNIEnv, _thread: jobject, class: jclass) {
    // SAFETY: the JVM hands in its live environment and a local reference.
    if unsafe { with_signature(tools, class, is_sdk) } != Some(true) {
        return;
    }
    let first = FIRST.swap(ptr::null_mut(), Ordering::AcqRel);
    if first.is_null() {
        return;
    }
    // SAFETY: as above; `first` is a global reference to a `Runnable`, which is what `at_sdk` is called with. It lets nothing
    // escape; an error that the JVM itself has in finding it is not the function's.
    unsafe {
        tell_no_more(tools, CLASS_PREPARE);
        let class = ((**env).v1_2.GetObjectClass)(env, first);
        let run = ((**env).v1_2.GetMethodID)(env, class, c"run".as_ptr(), c"()V".as_ptr());
        if !run.is_null() {
            ((**env).v1_2.CallVoidMethodA)(env, first, run, ptr::null());
        }
        if ((**env).v1_2.ExceptionCheck)(env) == JNI_TRUE {
            ((**env).v1_2.ExceptionClear)(env);
        }
        ((**env).v1_2.DeleteLocalRef)(env, class);
        ((**env).v1_2.DeleteGlobalRef)(env, first);
    }
}

#[cfg(test)]
mod tests {
    use super::is_sdk;

    #[test]
    fn the_sdks_are_told_from_the_runtime_client_and_from_the_functions_own() {
        for theirs in ["Lsoftware/amazon/awssdk/core/SdkClient;", "Lcom/amazonaws/AmazonWebServiceClient;"] {
            assert!(is_sdk(theirs.as_bytes()), "{theirs}");
        }
        for other in [
            "Ljava/lang/String;",
            "Lsoftware/amazon/awssdk/utilslite/SdkInternalThreadLocal;",
            "Lcom/amazonaws/services/lambda/runtime/Context;",
            "Lcom/amazonaws/lambda/thirdparty/com/fasterxml/jackson/core/Versioned;",
            "[Lsoftware/amazon/awssdk/core/SdkClient;",
        ] {
            assert!(!is_sdk(other.as_bytes()), "{other}");
        }
    }
}
