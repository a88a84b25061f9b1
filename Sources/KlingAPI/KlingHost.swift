package import Base

extension BaseURL {
    /// Whether it is on one of Kling's own hosts.
    package var isKlingHost: Bool {
        ["klingai.com", "kling.ai"].contains { host == $0 || host.hasSuffix("." + $0) }
    }
}
