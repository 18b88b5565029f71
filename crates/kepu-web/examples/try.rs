//! Temporary: serves a seeded node for looking at pages.
use kepu_app::{App, Options, node, seed};
use kepu_domain::org::Region;
use std::sync::Arc;
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let data = std::path::PathBuf::from(std::env::args().nth(1).expect("folder"));
    let region = Region::parse("411525").expect("region");
    if !data.join("kepu.db").exists() {
        let app =
            node::init(&data, node::Init { name: "固始县科协".into(), region, suite: kepu_sync::suite::Suite::Ed25519, database: None }).await.expect("init");
        println!("seeded {}", seed::publish(&app).await.expect("seed"));
        println!("{:?}", seed::accounts(&app).await.expect("accounts"));
    }
    let app = App::open(Options { data, database: None, index: true }).await.expect("open");
    println!("indexed {}", kepu_app::index::catch_up(&app).await.expect("index"));
    let settings =
        kepu_web::Settings { node_name: "固始县科协".into(), base_url: None, secure_cookies: false, org: "411525".into(), region, behind_proxy: false };
    let router = kepu_web::router(kepu_web::Web { app, settings: Arc::new(settings) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8471").await.expect("bind");
    println!("listening");
    axum::serve(listener, router.into_make_service_with_connect_info::<std::net::SocketAddr>()).await.expect("serve");
}
