from core.model import ModelWrapper
from maxfw.core import MAX_API, PredictAPI, MetadataAPI
from flask_restplus import fields
from werkzeug.datastructures import FileStorage

# Set up parser for input data
input_parser = MAX_API.parser()
input_parser.add_argument('image', type=FileStorage, location='files', required=True,
                          help='An image file (encoded as PNG or JPG/JPEG)')
input_parser.add_argument('threshold', type=float, default=0.7,
                          help='Probability threshold for including a detected animal.')

animal_prediction = MAX_API.model('AnimalPrediction', {
    'label_id': fields.String(required=False, description='Label identifier'),
    'label': fields.String(required=True, description='Label'),
    'probability': fields.Float(required=True, description='Probability', example=0.94),
    'detection_box': fields.List(fields.Float(required=True), description='ymin, xmin, ymax, xmax')
})

predict_response = MAX_API.model('ModelPredictResponse', {
    'status': fields.String(required=True, description='Response status message'),
    'predictions': fields.List(fields.Nested(animal_prediction), description='Detected animals')
})

label_entry = MAX_API.model('ModelLabel', {
    'id': fields.String(reqired=True, description='Label identifier'),
    'name': fields.String(reqired=True, description='Label')
})

labels_response = MAX_API.model('LabelsResponse', {
    'count': fields.Integer(required=True, description='Number of labels'),
    'labels': fields.List(fields.Nested(label_entry), description='Labels')
})

model_wrapper = ModelWrapper()


class ModelLabelsAPI(MetadataAPI):

    @MAX_API.doc('labels')
    @MAX_API.marshal_with(labels_response)
    def get(self):
        """Return the list of labels that can be predicted by the model"""
        return {'labels': model_wrapper.animals, 'count': len(model_wrapper.animals)}


class ModelPredictAPI(PredictAPI):

    @MAX_API.doc('predict')
    @MAX_API.expect(input_parser)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Make a prediction given input data"""
        result = {'status': 'error'}

        args = input_parser.parse_args()
        image = model_wrapper.read_image(args['image'].read())
        predictions = model_wrapper._predict(image, args['threshold'])

        result['predictions'] = predictions
        result['status'] = 'ok'
        return result
