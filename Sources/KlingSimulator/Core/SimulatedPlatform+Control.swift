internal import KlingAPI

/// Requests other than virtual try-on.
extension SimulatedPlatform {
    /// Serves a picture.
    mutating func show(_ picture: SimulatedRequest.Picture, _ now: Int) -> SimulatedAnswer {
        let file: [UInt8]
        switch picture {
        case .person: file = SamplePictures.person
        case .garment: file = SamplePictures.garment
        case .result(let id):
            guard kling.finishedTask(id, now: now) != nil else { return refuse(SimulatedRefusal(.notFound)) }
            file = SamplePictures.result(seed: configuration.seed, taskID: id)
        case .watermarkedResult(let id):
            guard kling.finishedTask(id, now: now)?.hasWatermark == true else {
                return refuse(SimulatedRefusal(.notFound))
            }
            // A different picture, so that the two can be told apart.
            file = SamplePictures.result(seed: configuration.seed, taskID: id + "/watermark")
        }
        return SimulatedAnswer(status: 200, contentType: "image/png", body: file)
    }

    /// The account's resource packs: one for try-on, which is never used up.
    mutating func costs(_ account: Int, _ now: Int) -> SimulatedAnswer {
        let data = JSONWriter.object { data in
            data.member("code", 0)
            data.member("msg", "")
            data.array("resource_pack_subscribe_infos") { packs in
                packs.object { pack in
                    pack.member("resource_pack_name", "Virtual try-on (simulated)")
                    pack.member("resource_pack_id", "simulated-\(account)")
                    pack.member("resource_pack_type", "decreasing_total")
                    pack.member("total_quantity", json: "1000000.0".utf8)
                    pack.member("remaining_quantity", json: "1000000.0".utf8)
                    pack.member("purchase_time", now)
                    pack.member("effective_time", now)
                    pack.member("invalid_time", now + SimulatedKling.retention)
                    pack.member("status", "online")
                }
            }
        }
        return succeed(data)
    }

    /// Answers a request to the control API.
    mutating func answer(_ control: SimulatedRequest.Control, _ now: Int) -> SimulatedAnswer {
        switch control {
        case .tasks: return SimulatedAnswer(json: tasksJSON(now))
        case .creates: return SimulatedAnswer(json: journal.createsJSON)
        case .requests:
            return SimulatedAnswer(
                json: JSONWriter.object { writer in
                    journal.write(to: &writer) { kling.running(account: $0, now: now) }
                })
        case .reset: reset()
        case .clearFaults: removeFaults()
        case .addFault(.success(let rule)): add(rule)
        case .addFault(.failure(let refusal)): return refuse(refusal)
        case .apis: return SimulatedAnswer(json: access.json)
        case .change(let change):
            do {
                return SimulatedAnswer(json: try make(change.get(), now))
            } catch {
                return refuse(error)
            }
        }
        return SimulatedAnswer(json: Array("{}".utf8))
    }

    private func tasksJSON(_ now: Int) -> [UInt8] {
        JSONWriter.object { writer in
            writer.array("tasks") { list in
                for task in kling.allTasks {
                    list.object { item in
                        item.member("account", task.account)
                        item.member("task_id", task.id)
                        item.member("external_task_id", orNull: task.externalTaskID)
                        item.member("task_status", task.status(at: now).rawValue)
                        item.member("callback_url", orNull: task.callbackURL)
                        item.member("human_image", orNull: task.personURL)
                        item.member("creates", task.creates)
                        item.member("queries", task.queries)
                        item.member("created_at", task.createdAt)
                        item.member("ends_at", task.endsAt)
                        item.member("cloth_image", orNull: task.garmentURL)
                        item.member("api", task.dialect.rawValue)
                        item.member("watermark", task.hasWatermark)
                        if let settings = task.settings { item.object("settings") { settings.write(to: &$0) } }
                    }
                }
            }
        }
    }
}
