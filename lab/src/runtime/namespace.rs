//! An environment's view of the file system, on Linux: the machine's own, with `/var/task`, `/var/runtime`, `/opt` and `/tmp` as in Lambda.
//!
//! Made in a mount namespace; without root, inside a user namespace, where the kernel allows it. All but `/tmp` is read-only, as in Lambda, as far as the kernel lets it be. It is no security boundary: what runs in
//! it is the developer's own function.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{chdir, chroot, getgid, getuid};

use super::view::View;

/// Folders of which each entry is taken over by itself, so that Lambda's can be put beside them.
const OPENED: [&str; 1] = ["var"];
/// Folders that are no files.
const DEVICES: [&str; 3] = ["/dev", "/proc", "/sys"];
/// Folders that Lambda's take the place of.
const REPLACED: [&str; 4] = ["/opt", "/tmp", "/var/task", "/var/runtime"];

/// Says why no environment can be made here, by making an empty one. Only for a process that ends at once.
pub fn probe() -> Result<(), String> {
    separate()?;
    let root = std::env::temp_dir();
    memory_file_system(&root, 1).map_err(|error| format!("cannot mount: {error}"))?;
    chroot(&root).map_err(|error| format!("cannot change the root: {error}"))
}

/// Moves this process, which must have one thread, into a file system as `view` says.
pub fn enter(view: &View) -> Result<(), String> {
    // Everything is looked up before: the replaced folders may hold the view's own.
    separate()?;
    build(view).map_err(|error| format!("cannot make the environment's file system: {error}"))?;
    chroot(&view.root).map_err(|error| format!("cannot change the root: {error}"))?;
    chdir("/").map_err(|error| format!("cannot change the folder: {error}"))
}

/// A mount namespace of its own; inside a user namespace unless this is root with the right to it.
fn separate() -> Result<(), String> {
    let (user, group) = (getuid(), getgid());
    if !user.is_root() || unshare(CloneFlags::CLONE_NEWNS).is_err() {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .map_err(|error| format!("the kernel refuses a user namespace: {error}"))?;
        let maps = [
            ("/proc/self/setgroups", "deny".to_owned()),
            ("/proc/self/uid_map", format!("{user} {user} 1")),
            ("/proc/self/gid_map", format!("{group} {group} 1")),
        ];
        for (file, content) in maps {
            fs::write(file, content).map_err(|error| format!("cannot write `{file}`: {error}"))?;
        }
    }
    // Nothing that is mounted from here on may show outside.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(|error| format!("cannot keep mounts to itself: {error}"))
}

fn build(view: &View) -> Result<(), String> {
    let root = &view.root;
    // The view's folders may lie in the machine's /tmp: they are reached through the old root for as long as that is there.
    memory_file_system(root, 1).map_err(|error| format!("no memory file system: {error}"))?;
    for name in entries(Path::new("/"))? {
        if OPENED.contains(&name.as_str()) {
            for inner in entries(&Path::new("/").join(&name))? {
                take_over(root, &Path::new("/").join(&name).join(inner))?;
            }
        } else {
            take_over(root, &Path::new("/").join(name))?;
        }
    }
    let (task, opt, runtime, tmp) = (root.join("var/task"), root.join("opt"), root.join("var/runtime"), root.join("tmp"));
    for folder in [&task, &opt, &runtime, &tmp] {
        fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    }
    bind(&view.task, &task)?;
    bind(&view.opt, &opt)?;
    bind(&view.runtime, &runtime)?;
    memory_file_system(&tmp, view.tmp_mb).map_err(|error| format!("no /tmp: {error}"))?;
    for kept in &view.kept {
        if REPLACED.iter().any(|replaced| kept.starts_with(replaced)) {
            let target = inside(root, kept);
            fs::create_dir_all(&target).map_err(|error| format!("`{}`: {error}", target.display()))?;
            bind(kept, &target)?;
        }
    }
    for folder in [&task, &opt, &runtime, root] {
        read_only(folder);
    }
    Ok(())
}

/// As in Lambda, where only `/tmp` can be written to; and a function that clears up too much clears up nothing of the machine's own. What is mounted
/// below `at` stays as it is, and so does `at` where the kernel refuses.
fn read_only(at: &Path) {
    let Ok(now) = statvfs(at) else { return };
    // A mount's other flags must be said again: without root they may not be dropped.
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    for (has, keep) in kept {
        if now.flags().contains(has) {
            flags |= keep;
        }
    }
    let _ = mount(None::<&str>, at, None::<&str>, flags, None::<&str>);
}

fn memory_file_system(at: &Path, size_mb: u32) -> nix::Result<()> {
    let options = format!("size={size_mb}m,mode=1777");
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(options.as_str()))
}

fn entries(folder: &Path) -> Result<Vec<String>, String> {
    let listed = fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(listed.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Shows one of the machine's own files, folders or links in the new root under its own path.
fn take_over(root: &Path, path: &Path) -> Result<(), String> {
    let target = inside(root, path);
    let said = |error: std::io::Error| format!("`{}`: {error}", path.display());
    // Gone meanwhile, or not to be seen by this user: then it is not there.
    let Ok(kind) = fs::symlink_metadata(path) else { return Ok(()) };
    if REPLACED.iter().any(|replaced| path == Path::new(replaced)) {
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(said)?;
    }
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(path).map_err(said)?, &target).map_err(said);
    }
    if kind.is_dir() {
        fs::create_dir(&target).map_err(said)?;
    } else {
        fs::write(&target, "").map_err(said)?;
    }
    bind(path, &target)?;
    if !DEVICES.iter().any(|devices| path == Path::new(devices)) {
        read_only(&target);
    }
    Ok(())
}

fn bind(from: &Path, to: &Path) -> Result<(), String> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .map_err(|error| format!("`{}`: {error}", from.display()))
}
