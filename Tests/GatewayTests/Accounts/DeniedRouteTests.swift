import KlingAPI
import Testing

@testable import Gateway

/// Which answers to a create say that the account has no such route, or no such model, so that nothing was made.
struct DeniedRouteTests {
    @Test(arguments: [
        (404, ""), (404, "<html>"), (405, ""), (501, ""),
        (503, #"{"error":{"message":"m","type":"new_api_error","code":"model_not_found"}}"#),
        (404, #"{"code":1202,"message":"m"}"#), (404, #"{"code":1203,"message":"m"}"#),
        (200, #"{"code":1202,"message":"m"}"#), (400, #"{"code":1201,"message":"model_name is invalid"}"#),
    ])
    func `an answer that the route or the model does not exist denies the route`(_ status: Int, _ body: String) {
        #expect(UpstreamAnswer(KlingReply(status: status, body: Array(body.utf8))).deniesRoute, "\(status) \(body)")
    }

    @Test(arguments: [
        (404, #"{"code":0,"data":{"task_id":"1","task_status":"submitted"}}"#), (404, #"{"code":5000,"message":"m"}"#),
        (404, #"{"code":1303,"message":"m"}"#), (500, #"{"code":5000,"message":"model"}"#), (401, ""), (429, ""),
        (400, #"{"code":1201,"message":"external_task_id exists for this model"}"#),
        (400, #"{"code":1201,"message":"human_image is invalid"}"#), (500, "<html>"), (200, "<html>"),
    ])
    func `any other answer does not deny the route`(_ status: Int, _ body: String) {
        #expect(!UpstreamAnswer(KlingReply(status: status, body: Array(body.utf8))).deniesRoute, "\(status) \(body)")
    }
}
