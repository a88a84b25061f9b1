internal import Base
internal import HTTPServer

extension Configuration {
    /// Reads the certificate and checks it together with its key. The gateway later serves exactly what was checked
    /// here.
    mutating func completeTLS(_ root: ConfigurationNode, _ reader: inout ConfigurationReader) {
        guard var tls = server.tls, let node = root["tls"] else { return }
        for name in ["certificate", "private_key"] where node[name] == nil {
            reader.report(.init(path: "tls"), "\(name) is missing")
        }
        if reader.problems.contains(where: { $0.place.hasPrefix("tls") }) { return }
        switch reader.sources.files.read(tls.certificate) {
        case .success(let text): tls.chain = text
        case .failure(let failure):
            return reader.report(.init(path: "tls.certificate"), "\(tls.certificate) cannot be read: \(failure)")
        }
        do throws(TLSContextError) {
            _ = try TLSContext(certificateChain: tls.chain, privateKey: tls.privateKey)
            server.tls = tls
        } catch {
            switch error.part {
            case .certificate: reader.report(.init(path: "tls.certificate"), "\(tls.certificate): \(error)")
            case .privateKey: reader.report(.init(path: "tls.private_key"), "\(error)")
            }
        }
    }
}
