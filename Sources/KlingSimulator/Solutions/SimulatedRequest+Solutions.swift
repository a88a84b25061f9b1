internal import KlingAPI

extension SimulatedRequest {
    /// The request, turned into a refusal if one of its fetched pictures is not acceptable.
    func judged(by pictures: [FetchedPicture]) -> SimulatedRequest {
        guard case .call(.create(let dialect, .success(let create))) = route else { return self }
        let result = Result { () throws(SimulatedRefusal) in
            try create.checkPictures(pictures)
            return create
        }
        return SimulatedRequest(route: .call(.create(dialect, result)), headers: headers)
    }
}
