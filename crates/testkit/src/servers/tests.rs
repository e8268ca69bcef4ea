//! The servers themselves: they start, die, and come back with what they had.

use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

fn address(url: &str) -> String {
    let start = url.find("127.0.0.1").expect("a loopback url");
    url[start..].split('/').next().unwrap_or_default().to_owned()
}

async fn redis(url: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(address(url)).await.unwrap();
    stream
        .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.trim_end_matches("+OK\r\n").to_owned()
}

fn mysql(url: &str, statement: &str) -> String {
    let port = address(url).split(':').nth(1).expect("a port").to_owned();
    let output = Command::new("mariadb")
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--user=root",
            "--batch",
            "--skip-column-names",
        ])
        .args(["--port", &port, "--execute", statement])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_killed_redis_comes_back_with_its_keys() {
    let mut server = Redis::start().await;
    redis(server.url(), "SET habit running").await;
    server.kill();
    assert!(TcpStream::connect(address(server.url())).await.is_err());
    server.restart().await;
    assert_eq!(redis(server.url(), "GET habit").await, "$7\r\nrunning\r\n");
}

#[tokio::test]
async fn a_killed_mariadb_comes_back_with_its_rows() {
    let mut server = MariaDb::start().await;
    mysql(
        server.url(),
        "CREATE DATABASE daka; CREATE TABLE daka.habit (title TEXT); INSERT INTO daka.habit VALUES ('跑步')",
    );
    server.kill();
    assert!(TcpStream::connect(address(server.url())).await.is_err());
    server.restart().await;
    assert_eq!(mysql(server.url(), "SELECT title FROM daka.habit"), "跑步\n");
}

#[tokio::test]
async fn a_killed_mongo_comes_back_with_its_replica_set() {
    let mut server = Mongo::start().await;
    let port: u16 = address(server.url())
        .split(':')
        .nth(1)
        .and_then(|port| port.parse().ok())
        .expect("a port");
    mongo_wire::insert(port, "running").unwrap();
    server.kill();
    assert!(TcpStream::connect(address(server.url())).await.is_err());
    server.restart().await;
    assert!(mongo_wire::takes_writes(port).unwrap());
    assert!(mongo_wire::holds(port, "running").unwrap());
}

#[tokio::test]
async fn a_dropped_server_leaves_no_process_and_no_folder() {
    let server = Redis::start().await;
    let url = server.url().to_owned();
    let folder = server
        .instance
        .as_ref()
        .expect("a running server")
        .folder()
        .to_owned();
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect(address(&url)).await.is_err());
}

#[tokio::test]
async fn a_server_ends_with_the_process_that_started_it() {
    // A shell stands in for a test process that is killed: it dies, and the watchdog's pipe with it.
    let folder = crate::data_dir();
    let path = folder.path().join("server");
    std::fs::create_dir(&path).unwrap();
    let mut sleeper = Command::new("sleep");
    std::os::unix::process::CommandExt::process_group(&mut sleeper, 0);
    let mut sleeper = sleeper.arg("1000").spawn().unwrap();
    let mut watchdog = Watchdog::over(Some(&sleeper), std::slice::from_ref(&path)).unwrap();
    watchdog.release_pipe();
    tokio::time::timeout(Duration::from_secs(60), async {
        while path.exists() || sleeper.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the watchdog ends the process and removes its folder");
}
