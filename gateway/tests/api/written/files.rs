//! Files of messages: had from where they are, shown to who may read the conversation, and laid down.

use std::io::Cursor;

use gateway_net::files::thumbnail::{NoThumbnail, Thumbnailer};
use image::{ImageFormat, RgbImage};

use super::*;

const PAGE: &str = "<html><script>alert(1)</script></html>";

fn photo() -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    let blue = RgbImage::from_pixel(640, 400, image::Rgb([16, 128, 192]));
    blue.write_to(&mut bytes, ImageFormat::Png)
        .expect("encoded");
    bytes.into_inner()
}

/// Where another system has its files.
async fn shelf() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new()
        .route("/foto", axum::routing::get(async || photo()))
        .route("/pagina", axum::routing::get(async || PAGE))
        .route(
            "/jogo",
            axum::routing::get(async || b"MZ\x90\0\x03\0\0\0".to_vec()),
        );
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

impl Scene {
    /// The files of the first message of an interaction, when none of them waits any more.
    async fn files(&self, interaction: &str) -> Value {
        for _ in 0..400 {
            let listed = self.messages(&self.admin, interaction, 0).await.expect(200);
            let files = listed["items"][0]["attachments"].clone();
            let waiting = |file: &Value| file["state"] == "waiting";
            if !files.as_array().expect("a list").iter().any(waiting) {
                return files;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("files still wait");
    }

    async fn lay_down(&self, who: &As, path: &str, key: Option<&str>, bytes: &[u8]) -> Answer {
        let mut request = Request::post(path);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        let request = request.body(Body::from(bytes.to_vec()));
        self.world.send(who, request.expect("a request")).await
    }
}

fn with_files(files: &Value) -> String {
    let message = json!({
        "external_message_id": "TT-1-1", "external_conversation_id": "TT-1",
        "customer": { "external_id": "C-991", "name": "Ana Souza" },
        "text": "Segue", "attachments": files,
    });
    message.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_message_are_had_and_shown_to_who_may_read_it() {
    let mut scene = Scene::new(0).await;
    let shelf = shelf().await;
    let link =
        |name: &str| json!({ "url": format!("{shelf}/{name}"), "filename": format!("{name}.x") });
    let sent =
        json!([link("foto"), link("pagina"), link("jogo"), link("nada"), { "upload_id": "outro" }]);
    let posted = scene.post(&scene.key, &with_files(&sent)).await.expect(202);
    let interaction = id_of(&posted, "attendance_id");

    let files = scene.files(&interaction).await;
    let states: Vec<_> = (0..5).map(|at| id_of(&files[at], "state")).collect();
    assert_eq!(states, ["stored", "stored", "refused", "failed", "failed"]);
    let (seen, page) = (&files[0], &files[1]);
    assert_eq!(
        (&seen["mime"], &seen["name"]),
        (&json!("image/png"), &json!("foto.x"))
    );
    assert_eq!(page["mime"], "text/html");
    assert_eq!(
        (&page["thumbnail_url"], &files[2]["url"]),
        (&Value::Null, &Value::Null)
    );

    let url = id_of(seen, "url");
    let whole = scene.world.get(&scene.admin, &url).await;
    assert_eq!((whole.status, &whole.bytes), (StatusCode::OK, &photo()));
    let header =
        |answer: &Answer, name: &str| answer.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header(&whole, "content-type"), "image/png");
    assert_eq!(
        header(&whole, "content-disposition"),
        "inline; filename*=UTF-8''foto.x"
    );
    assert_eq!(header(&whole, "x-content-type-options"), "nosniff");
    let small = scene
        .world
        .get(&scene.admin, &id_of(seen, "thumbnail_url"))
        .await;
    let small = image::load_from_memory(&small.bytes).expect("a picture");
    assert_eq!((small.width(), small.height()), (320, 200));

    let saved = scene.world.get(&scene.admin, &id_of(page, "url")).await;
    assert_eq!(saved.bytes, PAGE.as_bytes());
    assert_eq!(header(&saved, "content-type"), "application/octet-stream");
    assert!(header(&saved, "content-disposition").starts_with("attachment"));
    assert_eq!(
        header(&saved, "content-security-policy"),
        "default-src 'none'; sandbox"
    );

    for (range, status, expected) in [
        ("bytes=1-4", 206, &PAGE.as_bytes()[1..5]),
        ("bytes=-7", 206, b"</html>"),
        ("bytes=900-", 416, b""),
    ] {
        let request = Request::get(id_of(page, "url")).header(header::RANGE, range);
        let request = request.body(Body::empty()).expect("a request");
        let part = scene.world.send(&scene.admin, request).await;
        assert_eq!(
            (part.status.as_u16(), &part.bytes[..]),
            (status, expected),
            "{range}"
        );
    }

    scene.world.company("b").await;
    let other = scene.world.key(Some("b"), &["admin"]).await;
    scene.world.get(&other, &url).await.expect(404);
    let bruno = scene.world.log_in("bruno@a.example").await;
    scene.world.get(&bruno, &url).await.expect(403);
    scene.world.get(&As::Nobody, &url).await.expect(401);
    let ana = scene.agent("ana").await;
    scene.take(&ana).await;
    assert_eq!(scene.world.get(&ana, &url).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_laid_down_and_goes_into_one_message() {
    let scene = Scene::new(0).await;
    let path = format!(
        "/api/v1/channels/{}/uploads?name=..%2Fnota.pdf",
        scene.channel
    );
    let key = Some(scene.key.as_str());
    let pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
    let laid = scene
        .lay_down(&As::Nobody, &path, key, pdf)
        .await
        .expect(201);
    assert_eq!(
        (&laid["name"], &laid["mime"]),
        (&json!("nota.pdf"), &json!("application/pdf"))
    );
    let upload = json!({ "upload_id": laid["upload_id"] });
    // The second time it is used up.
    let sent = json!([upload, upload]);
    let posted = scene.post(&scene.key, &with_files(&sent)).await.expect(202);
    let interaction = id_of(&posted, "attendance_id");
    let files = scene.files(&interaction).await;
    assert_eq!(
        (&files[0]["state"], &files[1]["state"]),
        (&json!("stored"), &json!("failed"))
    );
    assert_eq!(files[0]["id"], laid["upload_id"]);
    let read = scene
        .world
        .get(&scene.admin, &id_of(&files[0], "url"))
        .await;
    assert_eq!(read.bytes, pdf);

    let nobody = scene.lay_down(&As::Nobody, &path, None, pdf).await;
    nobody.expect(401);
    let program = scene
        .lay_down(&As::Nobody, &path, key, b"MZ\x90\0\x03\0\0\0")
        .await;
    assert_eq!(program.code(422), "program");

    let ana = scene.agent("ana").await;
    let path = format!("/api/v1/interactions/{interaction}/uploads?name=oi.txt");
    scene.lay_down(&ana, &path, None, b"oi").await.expect(403);
    scene.take(&ana).await;
    let laid = scene.lay_down(&ana, &path, None, b"oi").await.expect(201);
    assert_eq!(
        (&laid["mime"], &laid["bytes"]),
        (&json!("text/plain"), &json!(2))
    );
    let read = scene
        .world
        .get(
            &ana,
            &format!("/api/v1/files/{}", id_of(&laid, "upload_id")),
        )
        .await;
    assert_eq!(read.bytes, b"oi");
}

#[tokio::test]
async fn small_pictures_are_made_in_a_process_of_their_own() {
    let maker = Thumbnailer::new(env!("CARGO_BIN_EXE_ramal"), &["thumbnail"]);
    let small = maker.make(&photo()).await.expect("made");
    let small = image::load_from_memory(&small).expect("a picture");
    assert_eq!((small.width(), small.height()), (320, 200));
    for bad in [&b"not a picture"[..], &photo()[..60], b""] {
        let refused = maker.make(bad).await;
        assert!(matches!(refused, Err(NoThumbnail::Refused)), "{refused:?}");
    }
}
